"""Building blocks of the black-box tests: all on loopback, in temporary folders, ended with the test that made them."""

from .certificates import Authority
from .daemon import Daemon, Refused
from .network import free_port
from .nginx import Nginx
from .notify import NotifySocket
from .paths import release_binary, repository, vitald_binary
from .receiver import Answer, Receiver
from .report import ReportTest, run_alone, sample
from .silent import Greeter, Silent, quantiles
from .waiting import wait_until

__all__ = ["Answer", "Authority", "Daemon", "Greeter", "Nginx", "NotifySocket", "Receiver", "Refused", "ReportTest", "Silent",
           "free_port", "quantiles", "release_binary", "repository", "run_alone", "sample", "vitald_binary", "wait_until"]
