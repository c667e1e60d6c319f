# Serves moto on loopback, a request after the other: its conditions hold only as long as nobody else writes meanwhile.
#
#   serve.py PORT
import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

run_simple("127.0.0.1", int(sys.argv[1]), DomainDispatcherApplication(create_backend_app), threaded=False)
