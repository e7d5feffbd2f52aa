#include "probes/tls.hpp"

#include <openssl/x509_vfy.h>

#include <algorithm>

#include "config/units.hpp"
#include "probes/faults.hpp"
#include "probes/foreign_text.hpp"
#include "probes/options.hpp"

namespace vitald::probes::tls {
namespace {

using std::chrono::floor;
using std::chrono::seconds;

/// In whole seconds, since a certificate of the year 1700 is further away than a Duration reaches.
seconds until(Wall then, Wall now) { return floor<seconds>(then) - floor<seconds>(now); }

std::string say(seconds length) {
  constexpr seconds longest = std::chrono::hours(24 * 366 * 100);
  return say_duration(std::min(std::chrono::abs(length), longest));
}

/// Kept a day away from the ends of time, where rounding to the calendar would fall off.
std::string say_date(Wall at) {
  const Duration day = std::chrono::hours(24);
  return say_time(std::clamp(at, Wall::min() + day, Wall::max() - day), true);
}

std::string whose(const Config& config, const net::Certificate& certificate, std::size_t place) {
  if (place == 0) return "certificate of " + config.name();
  return "certificate '" + foreign_text(certificate.subject) + "' in the chain of " + config.name();
}

void add_date_faults(const Config& config, const Facts& facts, Faults& faults) {
  for (std::size_t i = 0; i < facts.proved.served.size(); ++i) {
    // A superfluous old certificate behind the leaf does no harm as long as the chain is trusted without it.
    if (i > 0 && facts.proved.verify_code == X509_V_OK) break;
    const auto& certificate = facts.proved.served[i];
    const std::string name = whose(config, certificate, i);
    if (certificate.not_after <= facts.now) {
      faults.push_back(wrong("certificate_expired",
                             name + " expired " + say(until(certificate.not_after, facts.now)) + " ago",
                             "renew it, and see why the renewal did not run"));
    } else if (certificate.not_before > facts.now) {
      faults.push_back(wrong("certificate_not_yet_valid",
                             name + " is valid only in " + say(until(certificate.not_before, facts.now)),
                             "compare this host's clock with the server's: timedatectl"));
    }
  }
}

std::string names_of(const net::Certificate& leaf) {
  constexpr std::size_t most = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(leaf.names.size(), most); ++i) {
    text += (i == 0 ? "" : ", ") + foreign_text(leaf.names[i]);
  }
  if (leaf.names.size() > most) text += " and " + std::to_string(leaf.names.size() - most) + " more";
  return text.empty() ? foreign_text(leaf.subject) : text;
}

ProbeFailure untrusted(const Config& config, const std::string& why) {
  return wrong("untrusted", "certificate of " + config.name() + " is not trusted: " + why,
               "if it comes from an authority of your own, name that with ca_file:");
}

void add_trust_fault(const Config& config, const net::TlsPeer& proved, Faults& faults) {
  switch (proved.verify_code) {
    case X509_V_OK:
      if (!proved.chain_incomplete) return;
      faults.push_back(wrong("chain_incomplete",
                             "the server of " + config.name() + " does not send the intermediate certificate '" +
                                 foreign_text(proved.served.back().issuer) + "', so other clients fail",
                             "serve the full chain (nginx: ssl_certificate with fullchain.pem)"));
      return;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      if (!config.self_signed_allowed) {
        faults.push_back(wrong("self_signed", "certificate of " + config.name() + " is self-signed",
                               "if that is meant, name it with ca_file: or set self_signed: allow"));
      }
      return;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      faults.push_back(
          untrusted(config, "nobody here knows the authority '" + foreign_text(proved.served.back().issuer) + "'"));
      return;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      if (proved.chain_incomplete) {
        faults.push_back(
            wrong("chain_incomplete",
                  "the server of " + config.name() + " does not send the certificate of '" +
                      foreign_text(proved.served.back().issuer) + "', which is not known here either",
                  "serve the full chain (nginx: ssl_certificate with fullchain.pem), or name an authority of "
                  "your own with ca_file:"));
        return;
      }
      faults.push_back(untrusted(config, "its issuer '" + foreign_text(proved.served.back().issuer) +
                                             "' is neither known here nor sent by the server"));
      return;
    case X509_V_ERR_CERT_REVOKED:
      faults.push_back(
          wrong("certificate_revoked", "certificate of " + config.name() + " was revoked", "renew it with a new key"));
      return;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return;  // told as a wrong name
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      if (!faults.empty()) return;  // told with its dates; else it is one that the server did not send
      break;
    default:
      break;
  }
  faults.push_back(untrusted(config, foreign_text(proved.verify_text)));
}

Faults find_faults(const Config& config, const Facts& facts) {
  Faults faults;
  add_date_faults(config, facts, faults);
  if (config.dates_only) return faults;
  if (!facts.proved.name_matches) {
    faults.push_back(wrong("wrong_name",
                           "certificate is for " + names_of(facts.proved.served.front()) + ", not for " + config.name(),
                           "where another name is right, set server_name:"));
  }
  add_trust_fault(config, facts.proved, faults);
  return faults;
}

void add_samples(const Facts& facts, Observation& seen) {
  for (std::size_t i = 0; i < facts.proved.served.size(); ++i) {
    const auto left = until(facts.proved.served[i].not_after, facts.now);
    seen.samples.push_back({.name = "expires_in",
                            .value = static_cast<double>(left.count()),
                            .labels = {{"chain", i == 0 ? "leaf" : std::to_string(i)}}});
  }
}

}  // namespace

Config parse(config::Reader& in) {
  Config config;
  config.where = in.required("address", HostPort{}, "Host and port to connect to");
  config.where.family = read_family(in);
  config.where.tls = read_tls(in);
  const auto self_signed = in.optional("self_signed", config::OneOf{{"fault", "allow"}}, "fault",
                                       "Whether a certificate that signs itself is a fault");
  config.self_signed_allowed = self_signed == "allow";
  config.dates_only = config.where.tls->insecure;
  config.where.tls->judge_later = true;
  return config;
}

awaitable<Facts> run(ProbeContext& context, const Config& config) {
  Facts facts;
  const auto stream = co_await context.network.connect(config.where, context.phases);
  if (const auto* proved = stream->tls()) facts.proved = *proved;
  facts.peer = stream->peer();
  facts.now = context.clock.now().wall;
  co_return facts;
}

Observation judge(const Config& config, const Facts& facts) {
  Observation seen;
  seen.evidence.push_back({"address", facts.peer});
  if (facts.proved.served.empty()) {
    blame(wrong("no_certificate", "the server presented no certificate"), seen);
    return seen;
  }
  const auto& leaf = facts.proved.served.front();
  add_samples(facts, seen);
  seen.evidence.push_back({"issuer", foreign_text(leaf.issuer)});
  seen.evidence.push_back({"valid until", say_date(leaf.not_after)});
  seen.evidence.push_back({"protocol", facts.proved.protocol});
  const auto faults = find_faults(config, facts);
  if (faults.empty()) {
    seen.summary = "certificate of " + config.name() + " is valid for " + say(until(leaf.not_after, facts.now));
    return seen;
  }
  blame(faults, seen, faults.size());
  return seen;
}

}  // namespace vitald::probes::tls
