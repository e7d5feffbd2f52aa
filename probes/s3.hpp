// s3: backups in a bucket of S3 or what speaks like it (MinIO, Ceph, Garage): the newest object is fresh and as large
// as usual, enough of them are kept, the bucket keeps versions. Only lists; no object is ever read.
#pragma once

#include <optional>
#include <string>

#include "probes/backup_judge.hpp"
#include "probes/net/http.hpp"
#include "probes/probe.hpp"
#include "probes/wire/s3.hpp"
#include "probes/wire/sigv4.hpp"

namespace vitald::probes::s3 {

struct Config {
  net::HttpRequest request;  // without path, query and signature
  std::string bucket, prefix, matching, region;
  bool in_host_name = false;  // https://bucket.host/ instead of https://host/bucket/
  bool listing = true;
  bool versions_required = false;
  std::optional<Secret> access_key, secret_key, session_token;
  backup::Rules rules;

  std::string target() const { return request.url.authority; }
  /// "bucket abrm-backups", "core_db/ in bucket abrm-backups".
  std::string place() const;
};

struct Facts {
  backup::Stock stock;
  std::optional<std::string> versioning;           // where it was asked for: "Enabled", "Suspended" or ""
  std::optional<ProbeFailure> versioning_trouble;  // the objects are judged all the same
  std::size_t listed = 0;                          // objects, whether they match or not
  Remembered memory;
};

Config parse(config::Reader& in);
awaitable<Facts> run(ProbeContext& context, const Config& config);
Observation judge(const Config& config, const Facts& facts);

/// `query` put to the bucket, signed where the check has a key. Throws ProbeFailure (unmeasured) without its secret.
net::HttpRequest signed_request(const Config& config, const wire::Parameters& query, Wall now);
/// What an answer other than 200 says: our key, our clock and our region are ours (unmeasured), the rest is the
/// target's.
ProbeFailure refusal(const Config& config, const net::HttpResponse& response);
/// Whether it is one of the backups that the check means.
bool is_meant(const Config& config, const wire::s3::Object& object);

}  // namespace vitald::probes::s3
