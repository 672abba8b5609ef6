"""Calls octavia-lib's DriverLibrary as one line of JSON says each, and prints what comes of it."""
import json
import sys

from octavia_lib.api.drivers import driver_lib
from octavia_lib.api.drivers import exceptions

status, stats, get = sys.argv[1:4]
library = driver_lib.DriverLibrary(status_socket=status, stats_socket=stats, get_socket=get)


def call(method, argument):
    try:
        result = getattr(library, method)(argument)
    except exceptions.UpdateStatusError as error:
        return {"error": "UpdateStatusError", "fault": error.fault_string, "object": error.status_object,
                "id": error.status_object_id}
    except exceptions.UpdateStatisticsError as error:
        return {"error": "UpdateStatisticsError", "fault": error.fault_string, "object": error.stats_object}
    except Exception as error:
        return {"error": type(error).__name__}
    return {"result": result and {"class": type(result).__name__, **result.to_dict(recurse=True)}}


for line in sys.stdin:
    print(json.dumps(call(*json.loads(line))), flush=True)
