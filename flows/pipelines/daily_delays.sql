-- One row per day of scheduled departure and airline; minutes, over the flights that departed.
-- `affected` holds the days and airlines that a load has touched.
SELECT
    flight_date,
    carrier,
    count(*) AS flights,
    count(*) FILTER (WHERE flights.is_cancelled) AS cancelled_flights,
    avg(flights.dep_delay_min)::double precision AS mean_dep_delay_min,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY flights.dep_delay_min) AS p95_dep_delay_min
FROM affected
JOIN flights USING (flight_date, carrier)
GROUP BY flight_date, carrier
