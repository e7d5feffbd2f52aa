#include "probes/s3.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <utility>

#include "config/units.hpp"
#include "probes/authorization.hpp"
#include "probes/foreign_text.hpp"
#include "probes/numbers.hpp"
#include "probes/options.hpp"
#include "probes/workers.hpp"

namespace vitald::probes::s3 {
namespace {

constexpr std::size_t most_pages = 20;  // of 1000 objects
constexpr std::size_t inline_body = 64 * 1024;

bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char each) {
           return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
                  each == '-' || each == '.' || each == '_';
         });
}

void read_keys(config::Reader& in, Config& config) {
  config.access_key = in.maybe("access_key", config::SecretText{}, "Id of the access key; left out: ask without one");
  config.secret_key = in.maybe("secret_key", config::SecretText{}, "Its secret");
  config.session_token = in.maybe("session_token", config::SecretText{}, "Token that belongs to a temporary key");
  if (config.access_key.has_value() != config.secret_key.has_value()) {
    in.problem(config.access_key ? "access_key" : "secret_key", "'access_key' and 'secret_key' go together");
  }
  if (config.session_token && !config.access_key) {
    in.problem("session_token", "'session_token' goes with 'access_key' and 'secret_key'");
  }
}

void set_address(config::Reader& in, const std::string& endpoint, Config& config) {
  net::HttpRequest& request = config.request;
  const auto url = net::parse_url(endpoint.empty() ? "https://s3." + config.region + ".amazonaws.com" : endpoint);
  if (!url) {
    in.problem(endpoint.empty() ? "region" : "endpoint", url.failure().what);
    return;
  }
  request.url = *url;
  if (url->path != "/") in.problem("endpoint", "expected an address without a path, such as https://minio:9000");
  if (!config.in_host_name) return;
  request.url.host = config.bucket + "." + request.url.host;
  request.url.authority = config.bucket + "." + request.url.authority;
}

/// What a worker parses of a big page.
struct Reading {
  std::string body;
  std::optional<Result<wire::s3::Page>> page;
};

ProbeFailure bad_answer(const Config& config, const std::string& what) {
  return wrong("bad_answer", "the answer of " + config.request.url.authority + " " + what,
               "see whether endpoint: names the S3 interface and not a console or a proxy");
}

awaitable<std::string> ask(ProbeContext& context, const Config& config, wire::Parameters query) {
  const net::HttpRequest request = signed_request(config, query, context.clock.now().wall);
  auto response = co_await net::fetch(context.network, request, context.phases);
  if (response.status != 200) throw refusal(config, response);
  if (response.truncated) throw bad_answer(config, "is longer than 4 MiB");
  co_return std::move(response.body);
}

awaitable<wire::s3::Page> next_page(ProbeContext& context, const Config& config, std::string token) {
  wire::Parameters query{{"list-type", "2"}, {"max-keys", "1000"}, {"encoding-type", "url"}};
  if (!config.prefix.empty()) query.emplace_back("prefix", config.prefix);
  if (!token.empty()) query.emplace_back("continuation-token", std::move(token));
  const auto reading = std::make_shared<Reading>();
  reading->body = co_await ask(context, config, query);
  if (reading->body.size() <= inline_body) {
    reading->page = wire::s3::parse_list(reading->body);
  } else {
    std::function<void()> job = [reading] { reading->page = wire::s3::parse_list(reading->body); };
    std::string key = "list of " + config.target();
    co_await context.workers.run(std::move(key), std::move(job));
  }
  if (!*reading->page) throw bad_answer(config, reading->page->failure().what);
  co_return std::move(**reading->page);
}

awaitable<void> list(ProbeContext& context, const Config& config, Facts& facts) {
  std::string token;
  for (std::size_t pages = 0; pages == 0 || !token.empty(); ++pages) {
    if (pages == most_pages) {
      throw unmeasured("too_many_objects",
                       "more than " + std::to_string(facts.listed) + " objects are in " + config.place() +
                           ", and the newest of them may be anywhere",
                       "name fewer with a longer prefix:, or have old ones deleted");
    }
    auto page = co_await next_page(context, config, token);
    facts.listed += page.objects.size();
    for (wire::s3::Object& object : page.objects) {
      if (!is_meant(config, object)) continue;
      const auto second = std::chrono::duration_cast<std::chrono::seconds>(object.modified.time_since_epoch());
      facts.stock.copies.push_back({.name = std::move(object.key),
                                    .identity = object.etag + ":" + std::to_string(second.count()),
                                    .size = object.size,
                                    .written = object.modified});
    }
    token = std::move(page.next);
  }
  backup::sort_newest_first(facts.stock.copies);
}

awaitable<void> look_at_versioning(ProbeContext& context, const Config& config, Facts& facts) {
  const wire::Parameters query{{"versioning", ""}};
  try {
    const auto body = co_await ask(context, config, query);
    const auto status = wire::s3::parse_versioning(std::string_view(body).substr(0, inline_body));
    if (!status) throw bad_answer(config, status.failure().what);
    facts.versioning = *status;
  } catch (const ProbeFailure& failure) {
    facts.versioning_trouble = failure;
  }
}

void add_versioning(const Config& config, const Facts& facts, Faults& faults, Observation& seen) {
  if (facts.versioning_trouble) faults.push_back(*facts.versioning_trouble);
  if (!facts.versioning) return;
  const std::string state = facts.versioning->empty() ? "off" : foreign_text(*facts.versioning, 20);
  seen.evidence.push_back({"versioning", state});
  if (*facts.versioning == "Enabled") return;
  faults.push_back(wrong("versioning_off",
                         "bucket " + config.bucket + " keeps no versions: versioning is " +
                             (*facts.versioning == "Suspended" ? "suspended" : "off"),
                         "aws s3api put-bucket-versioning --bucket " + config.bucket +
                             " --versioning-configuration Status=Enabled (MinIO: mc version enable)"));
}

}  // namespace

std::string Config::place() const { return (prefix.empty() ? "" : foreign_text(prefix) + " in ") + "bucket " + bucket; }

Config parse(config::Reader& in) {
  Config config;
  const config::Text maybe_empty{.longest = 1024, .may_be_empty = true};
  const std::string endpoint = in.optional("endpoint", config::Text{.may_be_empty = true}, "",
                                           "Address of the server, such as https://minio.example.com:9000; left out: "
                                           "Amazon's in that region");
  config.region =
      in.optional("region", config::Text{.longest = 64}, "us-east-1", "Region that requests are signed for");
  config.bucket = in.required("bucket", config::Text{.longest = 63}, "Name of the bucket");
  config.prefix = in.optional("prefix", maybe_empty, "", "Look at keys that begin with this only: core_db/");
  config.matching = in.optional("matching", maybe_empty, "",
                                "Pattern that the rest of a key must match, such as *.sql.gz ('*' takes '/' as well)");
  const auto style = in.optional("style", config::OneOf{{"path", "virtual"}}, "path",
                                 "Where the bucket's name goes: https://host/bucket/ or https://bucket.host/");
  read_keys(in, config);
  config.rules = backup::read_rules(in, "object");
  const auto versioning = in.optional("versioning", config::OneOf{{"any", "required"}}, "any",
                                      "Whether a bucket that does not keep versions is a fault");
  config.listing = in.optional("listing", config::Boolean{}, true,
                               "Look at the objects; false leaves only what `versioning` asks for");
  config.request.family = read_family(in);
  in.object("tls", "How to verify the server, and who we are",
            [&](config::Reader& tls) { config.request.tls = read_tls(tls); });

  config.in_host_name = style == "virtual";
  config.versions_required = versioning == "required";
  config.request.limits.body_bytes = wire::s3::most_bytes;
  config.request.limits.decoded_bytes = wire::s3::most_bytes;
  if (!config.bucket.empty() && !is_bucket_name(config.bucket)) {
    in.problem("bucket", "a bucket's name has 3 to 63 letters, digits, '-', '.' and '_'");
  }
  if (!config.listing && !config.versions_required)
    in.problem("listing", "without 'listing' nothing is left to look at");
  set_address(in, endpoint, config);
  return config;
}

net::HttpRequest signed_request(const Config& config, const wire::Parameters& query, Wall now) {
  net::HttpRequest request = config.request;
  const std::string path = config.in_host_name ? "/" : "/" + config.bucket;
  request.url.path = wire::percent_encoded(path, true) + "?" + wire::canonical_query(query);
  if (!config.access_key) return request;
  const wire::SigV4Key key{.access_key = reveal(*config.access_key),
                           .secret_key = reveal(*config.secret_key),
                           .session_token = config.session_token ? reveal(*config.session_token) : "",
                           .region = config.region};
  const wire::SigV4Request to_sign{
      .method = "GET", .host = request.url.authority, .path = path, .query = query, .headers = {}, .body = ""};
  for (auto& [name, value] : wire::signed_headers(to_sign, key, now)) request.headers.emplace_back(name, value);
  return request;
}

bool is_meant(const Config& config, const wire::s3::Object& object) {
  if (object.key.ends_with('/') && object.size <= 0) return false;  // what consoles make for an empty folder
  if (!object.key.starts_with(config.prefix)) return false;
  return config.matching.empty() || fnmatch(config.matching.c_str(), object.key.c_str() + config.prefix.size(), 0) == 0;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  facts.memory = Remembered::read(context.memory);
  facts.stock.history = backup::History::read(facts.memory);
  if (config.listing) co_await list(context, config, facts);
  if (config.versions_required) co_await look_at_versioning(context, config, facts);
  facts.stock.now = context.clock.now().wall;
  if (!facts.stock.copies.empty()) {
    facts.stock.history.see(facts.stock.copies.front());
    facts.stock.history.write(facts.memory);
  }
  co_return facts;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  Faults faults;
  if (!facts.stock.copies.empty()) {
    faults = backup::weigh(config.rules, facts.stock, seen);
    seen.memory = facts.memory.written();
  } else if (config.listing) {
    const auto listed = static_cast<std::int64_t>(facts.listed);
    const std::string others = listed == 0 ? "" : ", but " + say_count(listed, "other object");
    const std::string what = config.matching.empty() ? "" : " that matches " + foreign_text(config.matching);
    faults.push_back(wrong("no_object", "no object" + what + " is in " + config.place() + others,
                           "run the backup, and see why its upload did not run"));
  } else {
    seen.summary = "bucket " + config.bucket + " keeps versions";
  }
  add_versioning(config, facts, faults, seen);
  blame(faults, seen, faults.size());
  return seen;
}

}  // namespace vitald::probes::s3
