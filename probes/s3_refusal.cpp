#include <algorithm>

#include "probes/foreign_text.hpp"
#include "probes/s3.hpp"

namespace vitald::probes::s3 {
namespace {

constexpr std::size_t most_error_bytes = 64 * 1024;

struct Known {
  std::string_view code;
  Outcome outcome;
  const char* reason;
  const char* words;  // after "S3 at HOST "
  const char* remedy;
};

constexpr const char* other_key = "put a key that is valid into the check's access_key and secret_key";

constexpr Known known[] = {
    {"InvalidAccessKeyId", Outcome::unmeasured, "wrong_key", "does not know the check's access key", other_key},
    {"SignatureDoesNotMatch", Outcome::unmeasured, "wrong_key", "does not take the check's secret key", other_key},
    {"ExpiredToken", Outcome::unmeasured, "expired_key", "says that the check's temporary key has expired", other_key},
    {"InvalidToken", Outcome::unmeasured, "wrong_key", "does not take the check's session token", other_key},
    {"RequestTimeTooSkewed", Outcome::unmeasured, "clock_skew",
     "has another time than this host, by more than 15 minutes", "compare the clocks: timedatectl"},
    {"RequestExpired", Outcome::unmeasured, "clock_skew", "has another time than this host",
     "compare the clocks: timedatectl"},
    {"NoSuchBucket", Outcome::wrong, "no_bucket", "has no bucket of that name", "see whether the bucket was deleted"},
    {"SlowDown", Outcome::wrong, "slow_down", "asks for fewer requests", "see who else asks it so often"},
    {"ServiceUnavailable", Outcome::wrong, "server_error", "is not available just now", ""},
    {"InternalError", Outcome::wrong, "server_error", "reports an error of its own", ""},
    {"XMinioServerNotInitialized", Outcome::wrong, "server_error", "is still starting", ""},
};

std::string said(const wire::s3::Error& error) {
  const std::string message = foreign_text(error.message, 160);
  return foreign_text(error.code, 60) + (message.empty() ? "" : ": " + message);
}

ProbeFailure denied(const Config& config, const std::string& where) {
  if (!config.access_key) {
    return unmeasured("access_denied", where + " lets nobody look at bucket " + config.bucket + " without a key",
                      "give the check an access_key and secret_key");
  }
  const std::string rights = config.versions_required ? "s3:ListBucket and s3:GetBucketVersioning" : "s3:ListBucket";
  return unmeasured("access_denied", where + " does not let the check's key look at bucket " + config.bucket,
                    "allow it " + rights + " on arn:aws:s3:::" + config.bucket);
}

ProbeFailure other_region(const Config& config, const std::string& where, const std::string& region) {
  const std::string found = foreign_text(region, 40);
  return unmeasured("wrong_region",
                    found.empty() ? where + " says that bucket " + config.bucket + " is in another region"
                                  : "bucket " + config.bucket + " is in region " + found + ", not in " + config.region,
                    found.empty() ? "correct region: in the check" : "set region: " + found + " in the check");
}

}  // namespace

ProbeFailure refusal(const Config& config, const net::HttpResponse& response) {
  const std::string where = "S3 at " + config.request.url.authority;
  const auto error = response.body.size() <= most_error_bytes ? wire::s3::parse_error(response.body) : std::nullopt;
  if (!error) {
    const std::string status = std::to_string(response.status) + " " + foreign_text(response.reason, 40);
    return wrong(
        response.status >= 500 ? "server_error" : "bad_answer", where + " answered " + status + " instead of a list",
        response.status >= 500 ? "" : "see whether endpoint: names the S3 interface and not a console or a proxy");
  }
  if (error->code == "AccessDenied" || error->code == "AllAccessDisabled") return denied(config, where);
  const bool elsewhere = error->code == "PermanentRedirect" || error->code == "AuthorizationHeaderMalformed" ||
                         error->code == "TemporaryRedirect" || error->code == "IllegalLocationConstraintException";
  if (elsewhere) {
    const std::string* header = response.header("x-amz-bucket-region");
    return other_region(config, where, header == nullptr ? error->region : *header);
  }
  const auto row =
      std::find_if(std::begin(known), std::end(known), [&](const Known& each) { return each.code == error->code; });
  if (row != std::end(known)) {
    return ProbeFailure(row->outcome, row->reason, where + " " + row->words + " (bucket " + config.bucket + ")",
                        row->remedy);
  }
  return wrong(response.status >= 500 ? "server_error" : "refused_request",
               where + " refused to list: " + said(*error));
}

}  // namespace vitald::probes::s3
