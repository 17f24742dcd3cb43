"""The one DNS port: whoever asks a question, asks it here.

A `Port` answers a question with a `Lookup`, never with an exception. Live, zone overlay, world and
recorded evidence are ports; the cache with single-flight and the recorder wrap a port.
"""

from deliverkit.dns.port import Port, normal_name

__all__ = ["Port", "normal_name"]
