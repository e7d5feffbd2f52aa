// Every kind of probe, one row each, in the order of the manual. docs/adding-a-probe.md is the recipe for a new one.
#include <algorithm>

#include "probes/access_log.hpp"
#include "probes/backup.hpp"
#include "probes/clock.hpp"
#include "probes/cpu.hpp"
#include "probes/disk.hpp"
#include "probes/docker.hpp"
#include "probes/exec.hpp"
#include "probes/expiry.hpp"
#include "probes/file.hpp"
#include "probes/file_descriptors.hpp"
#include "probes/heartbeat.hpp"
#include "probes/horizon.hpp"
#include "probes/http.hpp"
#include "probes/journal.hpp"
#include "probes/laravel_queue.hpp"
#include "probes/load.hpp"
#include "probes/log.hpp"
#include "probes/memory.hpp"
#include "probes/mysql.hpp"
#include "probes/network.hpp"
#include "probes/nginx.hpp"
#include "probes/oom.hpp"
#include "probes/php_fpm.hpp"
#include "probes/pm2.hpp"
#include "probes/postgres.hpp"
#include "probes/pressure.hpp"
#include "probes/probe.hpp"
#include "probes/process.hpp"
#include "probes/rabbitmq.hpp"
#include "probes/reboot_required.hpp"
#include "probes/redis.hpp"
#include "probes/s3.hpp"
#include "probes/supervisor.hpp"
#include "probes/swap.hpp"
#include "probes/systemd.hpp"
#include "probes/tcp.hpp"
#include "probes/tls.hpp"
#include "probes/uplink.hpp"

namespace vitald::probes {
namespace {

constexpr ProbeKind kinds[] = {
    {.name = "http",
     .title = "A web server answers with the status, headers and body that it should",
     .samples = http::samples,
     .default_limits = http::default_limits,
     .make = make_probe<http::parse, http::run, http::judge>},
    {.name = "tcp",
     .title = "Something accepts connections and, if asked, says what it should",
     .samples = tcp::samples,
     .default_limits = "",
     .make = make_probe<tcp::parse, tcp::run, tcp::judge>},
    {.name = "tls",
     .title = "The certificates of a server: whether clients accept them, and for how long",
     .samples = tls::samples,
     .default_limits = tls::default_limits,
     .make = make_probe<tls::parse, tls::run, tls::judge>},
    {.name = "mysql",
     .title = "MySQL or MariaDB answers, replicates and has room; or what a query of your own says",
     .samples = mysql::samples,
     .default_limits = mysql::default_limits,
     .make = make_probe<mysql::parse, mysql::run, mysql::judge>,
     .free_samples = "query"},
    {.name = "postgres",
     .title = "A PostgreSQL server answers, in its role, with room and without lag; or any SELECT",
     .samples = postgres::samples,
     .default_limits = postgres::default_limits,
     .make = make_probe<postgres::parse, postgres::run, postgres::judge>,
     .free_samples = "query"},
    {.name = "redis",
     .title = "Redis serves as it should, its data are safe, and there is room left; lengths of keys",
     .samples = redis::samples,
     .default_limits = redis::default_limits,
     .make = make_probe<redis::parse, redis::run, redis::judge>},
    {.name = "laravel-queue",
     .title = "Jobs in Laravel's queues are taken, finished, and do not fail",
     .samples = laravel_queue::samples,
     .default_limits = laravel_queue::default_limits,
     .make = make_probe<laravel_queue::parse, laravel_queue::run, laravel_queue::judge>},
    {.name = "horizon",
     .title = "Laravel Horizon runs, with all of its supervisors, and jobs do not fail",
     .samples = horizon::samples,
     .default_limits = horizon::default_limits,
     .make = make_probe<horizon::parse, horizon::run, horizon::judge>},
    {.name = "rabbitmq",
     .title = "A RabbitMQ broker takes logins, its queues are emptied, and no alarm blocks publishers",
     .samples = rabbitmq::samples,
     .default_limits = rabbitmq::default_limits,
     .make = make_probe<rabbitmq::parse, rabbitmq::run, rabbitmq::judge>},
    {.name = "heartbeat",
     .title = "A job that should run tells that it did: cron jobs, backups, schedulers",
     .samples = heartbeat::samples,
     .default_limits = "",
     .passive = true,
     .make = heartbeat::make},
    {.name = "pm2",
     .title = "The apps of pm2 are online and do not restart all the time",
     .samples = pm2::samples,
     .default_limits = pm2::default_limits,
     .make = make_probe<pm2::parse, pm2::run, pm2::judge>},
    {.name = "supervisor",
     .title = "The programs of supervisord run and do not restart all the time",
     .samples = supervisor::samples,
     .default_limits = supervisor::default_limits,
     .make = make_probe<supervisor::parse, supervisor::run, supervisor::judge>},
    {.name = "systemd",
     .title = "Units are up and do not restart over and over, timers fire; or no unit has failed",
     .samples = systemd::samples,
     .default_limits = systemd::default_limits,
     .make = make_probe<systemd::parse, systemd::run, systemd::judge>},
    {.name = "journal",
     .title = "New entries of the systemd journal that match",
     .samples = journal::samples,
     .default_limits = journal::default_limits,
     .make = make_probe<journal::parse, journal::run, journal::judge>},
    {.name = "nginx",
     .title = "The connections and requests of nginx, and whether it drops any",
     .samples = nginx::samples,
     .default_limits = nginx::default_limits,
     .make = make_probe<nginx::parse, nginx::run, nginx::judge>},
    {.name = "php-fpm",
     .title = "A pool of php-fpm answers, and how many of its workers are busy",
     .samples = php_fpm::samples,
     .default_limits = php_fpm::default_limits,
     .make = make_probe<php_fpm::parse, php_fpm::run, php_fpm::judge>},
    {.name = "docker",
     .title = "Containers, or a whole compose project, run, are healthy, and stay up",
     .samples = docker::samples,
     .default_limits = docker::default_limits,
     .make = make_probe<docker::parse, docker::run, docker::judge>},
    {.name = "process",
     .title = "Processes run, as many as there should be; what they use of CPU, memory and open files",
     .samples = process::samples,
     .default_limits = process::default_limits,
     .make = make_probe<process::parse, process::run, process::judge>},
    {.name = "disk",
     .title = "How full the file systems are, when they will be full, and whether one became read-only",
     .samples = disk::samples,
     .default_limits = disk::default_limits,
     .make = make_probe<disk::parse, disk::run, disk::judge>},
    {.name = "memory",
     .title = "Available memory and swap of this host or container",
     .samples = memory::samples,
     .default_limits = memory::default_limits,
     .make = make_probe<memory::parse, memory::run, memory::judge>},
    {.name = "cpu",
     .title = "How busy the processors are; in a container with a quota, how much of it is in use",
     .samples = cpu::samples,
     .default_limits = cpu::default_limits,
     .make = make_probe<cpu::parse, cpu::run, cpu::judge>},
    {.name = "load",
     .title = "How many threads run, wait for a CPU or for a disk, for each core",
     .samples = load::samples,
     .default_limits = load::default_limits,
     .make = make_probe<load::parse, load::run, load::judge>},
    {.name = "pressure",
     .title = "How much of the time programs wait for CPU, memory or disks",
     .samples = pressure::samples,
     .default_limits = pressure::default_limits,
     .make = make_probe<pressure::parse, pressure::run, pressure::judge>},
    {.name = "oom",
     .title = "Processes that the kernel killed for want of memory, by name where its log may be read",
     .samples = oom::samples,
     .default_limits = oom::default_limits,
     .make = make_probe<oom::parse, oom::run, oom::judge>},
    {.name = "swap",
     .title = "How much of the swap is in use, and how much goes in and out",
     .samples = swap::samples,
     .default_limits = swap::default_limits,
     .make = make_probe<swap::parse, swap::run, swap::judge>},
    {.name = "network",
     .title = "Whether the interfaces have their link, and how many packets are broken or dropped",
     .samples = network::samples,
     .default_limits = network::default_limits,
     .make = make_probe<network::parse, network::run, network::judge>},
    {.name = "uplink",
     .title = "Whether this host reaches the world: if not, remote checks are not blamed for it",
     .samples = uplink::samples,
     .default_limits = "",
     .make = make_probe<uplink::parse, uplink::run, uplink::judge>},
    {.name = "file-descriptors",
     .title = "How many files are open on this host, of how many",
     .samples = file_descriptors::samples,
     .default_limits = file_descriptors::default_limits,
     .make = make_probe<file_descriptors::parse, file_descriptors::run, file_descriptors::judge>},
    {.name = "clock",
     .title = "Whether the clock is kept in step, and how wrong it may be",
     .samples = clock::samples,
     .default_limits = clock::default_limits,
     .make = make_probe<clock::parse, clock::run, clock::judge>},
    {.name = "reboot-required",
     .title = "Whether installed packages wait for a reboot, and since when",
     .samples = reboot_required::samples,
     .default_limits = reboot_required::default_limits,
     .make = make_probe<reboot_required::parse, reboot_required::run, reboot_required::judge>},
    {.name = "file",
     .title = "A file is there, or is not, with the owner, mode, age and content that it should have",
     .samples = file::samples,
     .default_limits = "",
     .make = make_probe<file::parse, file::run, file::judge>},
    {.name = "log",
     .title = "New lines of a log that match, across its rotations, and whether it is rotated",
     .samples = log::samples,
     .default_limits = log::default_limits,
     .passive = true,
     .make = make_probe<log::parse, log::run, log::judge>},
    {.name = "access-log",
     .title = "How many requests fail and how long they take, from the log of a web server",
     .samples = access_log::samples,
     .default_limits = access_log::default_limits,
     .make = make_probe<access_log::parse, access_log::run, access_log::judge>},
    {.name = "backup",
     .title = "The newest backup file is fresh, whole and as large as usual, and enough are kept",
     .samples = backup::samples,
     .default_limits = backup::default_limits,
     .make = make_probe<backup::parse, backup::run, backup::judge>},
    {.name = "s3",
     .title = "The newest backup in a bucket (S3, MinIO) is fresh and as large as usual, and enough are kept",
     .samples = backup::samples,
     .default_limits = backup::default_limits,
     .make = make_probe<s3::parse, s3::run, s3::judge>},
    {.name = "expiry",
     .title = "Keys are rotated, certificates and dates renewed, before it is too late",
     .samples = expiry::samples,
     .default_limits = expiry::default_limits,
     .passive = true,
     .make = make_probe<expiry::parse, expiry::run, expiry::judge>},
    {.name = "exec",
     .title = "Any Nagios plug-in, or a program whose exit status says whether all is well",
     .samples = exec::samples,
     .default_limits = exec::default_limits,
     .make = make_probe<exec::parse, exec::run, exec::judge>,
     .free_samples = "command"},
};

}  // namespace

const SampleSpec duration_sample{.name = "duration", .unit = Unit::seconds, .help = "How long the run took"};

std::span<const ProbeKind> probe_kinds() { return kinds; }

const ProbeKind* find_probe(std::string_view name) {
  const auto found =
      std::find_if(std::begin(kinds), std::end(kinds), [&](const ProbeKind& kind) { return kind.name == name; });
  return found == std::end(kinds) ? nullptr : found;
}

const SampleSpec* find_sample(const ProbeKind& kind, std::string_view name) {
  if (name == duration_sample.name) return &duration_sample;
  const auto found =
      std::find_if(kind.samples.begin(), kind.samples.end(), [&](const SampleSpec& row) { return row.name == name; });
  return found == kind.samples.end() ? nullptr : &*found;
}

}  // namespace vitald::probes
