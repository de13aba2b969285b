#include "clients/wallboard/server.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <asio/thread_pool.hpp>
#include <atomic>
#include <nlohmann/json.hpp>
#include <restinio/all.hpp>
#include <thread>
#include <utility>

#include "clients/wallboard/access.hpp"
#include "clients/wallboard/gateway.hpp"
#include "clients/wallboard/page.hpp"
#include "clients/wallboard/request.hpp"
#include "clients/wallboard/secrets.hpp"
#include "daemon/program/http_traits.hpp"

namespace reach::wallboard {
namespace {

using HttpServer = restinio::http_server_t<program::HttpTraits>;
using Request = restinio::request_handle_t;
using Handling = restinio::request_handling_status_t;
using StreamResponse = restinio::response_builder_t<restinio::chunked_output_t>;
using Headers = std::vector<std::pair<std::string, std::string>>;

// Nothing but our own files, nowhere else to send anything, in nobody's frame.
constexpr const char* content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

template <typename Response>
void add_security(Response& response) {
  response.append_header("Content-Security-Policy", content_security_policy);
  response.append_header("X-Content-Type-Options", "nosniff");
  response.append_header("Referrer-Policy", "no-referrer");
  response.append_header("Cross-Origin-Opener-Policy", "same-origin");
  response.append_header("Cross-Origin-Resource-Policy", "same-origin");
}

restinio::http_status_line_t status_line(int status) {
  static const std::map<int, const char*> phrases = {{200, "OK"},
                                                     {303, "See Other"},
                                                     {400, "Bad Request"},
                                                     {401, "Unauthorized"},
                                                     {403, "Forbidden"},
                                                     {404, "Not Found"},
                                                     {405, "Method Not Allowed"},
                                                     {409, "Conflict"},
                                                     {413, "Payload Too Large"},
                                                     {415, "Unsupported Media Type"},
                                                     {421, "Misdirected Request"},
                                                     {429, "Too Many Requests"},
                                                     {503, "Service Unavailable"}};
  const auto phrase = phrases.find(status);
  return {restinio::http_status_code_t(static_cast<std::uint16_t>(status)),
          phrase == phrases.end() ? "Unknown" : phrase->second};
}

std::string header(const Request& request, const char* name) {
  return std::string(request->header().opt_value_of(name).value_or(restinio::string_view_t()));
}

/// Of a field that is there more than once: what was added last, by the proxy that is nearest.
std::string last_header(const Request& request, const char* name) {
  std::string last;
  request->header().for_each_value_of(name, [&last](restinio::string_view_t value) {
    last = std::string(value);
    return restinio::http_header_fields_t::continue_enumeration();
  });
  return last;
}

std::vector<std::string> own_names() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return {};
  return {name};
}

Now now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::steady_clock::now(),
          time_from_ns(std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count())};
}

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// What one browser may send. A page's own requests need a tenth of it.
restinio::incoming_http_msg_limits_t message_limits() {
  return restinio::incoming_http_msg_limits_t()
      .max_url_size(4096)
      .max_field_name_size(128)
      .max_field_value_size(4096)
      .max_field_count(64)
      .max_body_size(body_bytes_max);
}

/// RESTinio (0.6.16) accepts nothing more after an accept that failed, and ZeroMQ ends the program: some descriptors
/// stay free, for files, ZeroMQ and what is being accepted.
std::size_t connections_for(std::size_t open_files) {
  constexpr std::size_t kept = 64, least = 16;
  return std::min(Server::connections_max, std::max(open_files, kept + least) - kept);
}

}  // namespace

// One thread serves everything: `io` is its loop. The gateway wakes it when a stream has something to send.
struct Server::Impl {
  Impl(const Settings& settings, std::optional<Accounts> accounts, std::size_t open_files)
      : connections(connections_for(open_files)),
        users_file(settings.users_file),
        behind_tls(settings.behind_tls),
        access(std::move(accounts)),
        server(restinio::external_io_context(io),
               [&](auto& with) {
                 with.address(settings.address)
                     .port(settings.port)
                     .max_parallel_connections(connections)
                     .concurrent_accepts_count(16)
                     .incoming_http_msg_limits(message_limits())
                     .read_next_http_message_timelimit(std::chrono::seconds(request_s))
                     .write_http_response_timelimit(std::chrono::seconds(stalled_s))
                     // A stream writes every two seconds; anything else has its answer sooner.
                     .handle_request_timeout(std::chrono::seconds(30))
                     .request_handler([this](auto request) { return handle(request); });
               }),
        gateway(settings.publish, settings.query, client::read_keys(settings.key_files), [this] { wake(); }),
        beats(io) {
    set_settings(settings);
    const auto root = settings.web_root.empty() ? default_web_root() : std::filesystem::path(settings.web_root);
    if (root.empty()) {
      spdlog::warn("the page was not built with this program; only /api/v1 is served (web_root names a built page)");
    } else {
      page = Page::load(root);
    }
    try {
      server.open_sync();  // nobody runs the loop yet
    } catch (const std::exception&) {
      throw std::runtime_error("cannot listen on " + settings.address + ":" + std::to_string(settings.port) +
                               "; is it an address of this machine, and is the port free?");
    }
    beat();
    thread = std::thread([this] {
      const auto busy = asio::make_work_guard(io);
      io.run();
    });
  }

  ~Impl() {
    io.stop();
    thread.join();
    background.join();
  }

  // ---- requests --------------------------------------------------------------------------------------------------

  Handling handle(const Request& request) {
    const std::string path(request->header().path());
    const auto method = request->header().method();
    if (!is_known_host(header(request, "Host"), host_names())) {
      return answer(request, {421, error_json("bad_request",
                                              "the page is not served under this name; add it to \"hosts\" in "
                                              "wallboard.toml if it is yours")});
    }
    if (method == restinio::http_method_post()) return handle_post(request, path);
    if (method != restinio::http_method_get()) {
      return answer(request, {405, error_json("bad_request", "only GET and POST are known")});
    }
    if (path == "/healthz") return text(request, 200, "ok\n");
    // The page itself tells nothing: it is the form to sign in with until /api says more.
    if (!path.starts_with("/api/")) {
      const auto secret = query_value(request->header().query(), "ticket");
      return path == "/" && secret ? open_with_ticket(request, *secret) : file(request, path);
    }

    const auto visitor = access.visitor(credentials(request), now());
    if (!visitor) return answer(request, {401, error_json("not_signed_in", "sign in first: POST /api/v1/sign-in")});
    if (path == "/api/v1/me") return answer(request, {200, me_json(*visitor)});
    if (path == "/api/v1/state") return answer(request, gateway.state());
    if (path == "/api/v1/alerts") return answer(request, gateway.alerts());
    if (path == "/api/v1/staffing") return answer(request, gateway.staffing());
    if (path == "/api/v1/board") return answer(request, {200, board_settings()});
    if (path == "/api/v1/history") {
      const auto segment = query_value(request->header().query(), "segment");
      if (!segment) return answer(request, {400, error_json("bad_request", "which segment? …/history?segment=NAME")});
      gateway.history(*segment, later(request));
      return restinio::request_accepted();
    }
    if (path == "/api/v1/tickets") {
      if (visitor->role != Role::supervisor) return answer(request, only_supervisors());
      return answer(request, {200, tickets_json()});
    }
    if (path == "/api/v1/stream") return open_stream(request, *visitor);
    return file(request, path);
  }

  Handling handle_post(const Request& request, const std::string& path) {
    if (!is_same_origin({header(request, "Host"), header(request, "Origin"), header(request, "Sec-Fetch-Site")})) {
      return answer(request, {403, error_json("not_allowed", "another site's page may change nothing here")});
    }
    if (!is_json(header(request, "Content-Type"))) {
      return answer(request, {415, error_json("bad_request", "expected Content-Type: application/json")});
    }
    if (path == "/api/v1/sign-in") return sign_in(request);
    if (path == "/api/v1/sign-out") return sign_out(request);
    const auto visitor = access.visitor(credentials(request), now());
    if (!visitor) return answer(request, {401, error_json("not_signed_in", "sign in first: POST /api/v1/sign-in")});

    const auto alert = name_between(path, "/api/v1/alerts/", "/acknowledge");
    const auto revoked = name_between(path, "/api/v1/tickets/", "/revoke");
    if (!alert && !revoked && path != "/api/v1/tickets") {
      return answer(request, {404, error_json("not_found", "nothing is to be posted here")});
    }
    if (visitor->role != Role::supervisor) return answer(request, only_supervisors());
    if (revoked) {
      return change_tickets(request, [name = *revoked](Accounts& accounts) { return remove_ticket(accounts, name); });
    }
    if (!alert) return make_ticket(request);
    AcknowledgeBody body = read_acknowledge(request->body(), visitor->name);
    if (!body.acknowledge) return answer(request, {400, error_json("bad_request", body.problem)});
    gateway.acknowledge(*alert, body.acknowledge->by, body.acknowledge->note, later(request));
    return restinio::request_accepted();
  }

  static Answer only_supervisors() {
    return {403, error_json("not_allowed", "only supervisors may do this; viewers see everything and change nothing")};
  }

  // ---- who is asking ---------------------------------------------------------------------------------------------

  // With "__Host-" a browser takes the cookie over HTTPS alone, and from no other name of the domain.
  std::string cookie_name(const char* name) const { return (behind_tls ? "__Host-" : "") + std::string(name); }
  std::pair<std::string, std::string> set_cookie(const char* name, const std::string& value, int seconds) const {
    std::string text = cookie_name(name) + "=" + value + "; Path=/; HttpOnly; SameSite=Strict";
    if (behind_tls) text += "; Secure";
    if (seconds >= 0) text += "; Max-Age=" + std::to_string(seconds);  // else until the browser is closed
    return {"Set-Cookie", text};
  }

  Credentials credentials(const Request& request) const {
    const std::string cookies = header(request, "Cookie");
    return {cookie(cookies, cookie_name(session_cookie)), cookie(cookies, cookie_name(ticket_cookie))};
  }

  std::string address(const Request& request) const {
    return address_of(request->remote_endpoint().address().to_string(),
                      behind_tls ? last_header(request, "X-Forwarded-For") : std::string());
  }

  std::string me_json(const Visitor& visitor) const {
    return dump({{"name", visitor.name},
                 {"role", name_of(visitor.role)},
                 {"screen", visitor.screen},
                 {"sign_in", access.sign_in_needed()}});
  }

  /// The password is checked on another thread, one at a time: whoever else looks at a board does not wait for it.
  Handling sign_in(const Request& request) {
    if (!access.sign_in_needed()) {
      return answer(request, {404, error_json("not_found", "nobody has to sign in here: there is no users_file")});
    }
    const Texts texts = read_texts(request->body(), {"name", "password"});
    if (!texts.problem.empty()) return answer(request, {400, error_json("bad_request", texts.problem)});
    if (checks >= checks_max) {
      return answer(request, {503, error_json("unavailable", "too many sign in at once; try again")},
                    {{"Retry-After", "2"}});
    }
    if (texts.members.at("name").size() > name_bytes_max) {
      return answer(request, {400, error_json("bad_request", "no name is so long")});
    }
    const Access::Attempt attempt = access.begin(texts.members.at("name"), address(request), now());
    if (attempt.wait.count() != 0) {
      say_refused(attempt);
      return answer(request, {429, error_json("too_many", "too many sign-ins failed; try again later")},
                    {{"Retry-After", std::to_string(attempt.wait.count())}});
    }
    ++checks;
    asio::post(background, [this, request, attempt, password = texts.members.at("password")] {
      const bool matched = password.size() <= password_bytes_max && password_matches(attempt.password_hash, password);
      asio::post(io, [this, request, attempt, matched] {
        --checks;
        signed_in(request, attempt, matched);
      });
    });
    return restinio::request_accepted();
  }

  void signed_in(const Request& request, const Access::Attempt& attempt, bool matched) {
    const auto session = access.finish(attempt, matched, credentials(request).session, now());
    if (!session) {
      say_refused(attempt);
      answer(request, {401, error_json("not_signed_in", "the name or the password is wrong")});
      return;
    }
    spdlog::info("\"{}\" signed in from {}", for_log(attempt.name), attempt.address);
    const auto visitor = access.visitor({*session, {}}, now());
    answer(request, {200, me_json(*visitor)}, {set_cookie(session_cookie, *session, -1)});
  }

  /// Counts it, and tells those that were let try; of those that come too often one in ten seconds.
  void say_refused(const Access::Attempt& attempt) {
    refused = access.refused();
    const auto at = now().steady;
    if (attempt.wait.count() != 0 && at < next_word_of_too_many) return;
    if (attempt.wait.count() != 0) next_word_of_too_many = at + std::chrono::seconds(10);
    spdlog::warn("sign-in of \"{}\" from {} refused{}; {} since the start", for_log(attempt.name), attempt.address,
                 attempt.wait.count() != 0 ? ": too many failed" : "", access.refused());
  }

  Handling sign_out(const Request& request) {
    access.sign_out(credentials(request).session);
    const Handling handled =
        answer(request, {200, "{}"}, {set_cookie(session_cookie, "", 0), set_cookie(ticket_cookie, "", 0)});
    end_streams_of_nobody();
    return handled;
  }

  /// The link of a screen: the ticket goes into a cookie and out of the address bar.
  Handling open_with_ticket(const Request& request, const std::string& secret) {
    const auto name = access.ticket(secret, now().wall);
    if (!name && access.sign_in_needed()) {
      ++refused;
      spdlog::debug("a ticket that is none, from {}",
                    address(request));  // no limit: whoever asks must not fill the log
      return text(request, 403,
                  "This link is not valid any more. A supervisor can make a new one.\n"
                  "Dieser Link gilt nicht mehr. Die Leitung kann einen neuen ausstellen.\n");
    }
    const std::string rest = query_without(request->header().query(), "ticket");
    auto response = request->create_response(status_line(303));
    add_security(response);
    response.append_header("Location", rest.empty() ? "/" : "/?" + rest).append_header("Cache-Control", "no-store");
    if (name) {
      const auto [field, value] = set_cookie(ticket_cookie, secret, ticket_cookie_s);
      response.append_header(field, value);
      spdlog::info("screen \"{}\" opened from {}", *name, address(request));
    }
    return response.done();
  }

  // ---- tickets ---------------------------------------------------------------------------------------------------

  std::string tickets_json() const {
    auto list = nlohmann::ordered_json::array();
    if (access.sign_in_needed()) {
      for (const auto& [name, ticket] : access.accounts().tickets) {
        nlohmann::ordered_json expires;  // null: until it is revoked
        if (ticket.expires != never) expires = to_rfc3339(ticket.expires);
        list.push_back({{"name", name}, {"made", to_rfc3339(ticket.made)}, {"expires", std::move(expires)}});
      }
    }
    return dump({{"tickets", std::move(list)}});
  }

  Handling make_ticket(const Request& request) {
    const Texts texts = read_texts(request->body(), {"name"}, {"valid_for"});
    if (!texts.problem.empty()) return answer(request, {400, error_json("bad_request", texts.problem)});
    const std::string name = texts.members.at("name");
    const Time made = std::chrono::floor<std::chrono::seconds>(now().wall);
    Time expires = never;
    if (const auto given = texts.members.find("valid_for"); given != texts.members.end()) {
      const auto length = parse_duration(given->second);
      if (!length || length->count() == 0 || *length >= never - made) {
        return answer(request, {400, error_json("bad_request", "bad \"valid_for\"; expected a time such as \"30d\"")});
      }
      expires = made + *length;
    }
    const std::string secret = random_secret();
    return change_tickets(
        request, [=](Accounts& accounts) { return add_ticket(accounts, name, secret, made, expires); },
        dump({{"name", name}, {"link", "/?mode=tv&ticket=" + secret}}));
  }

  /// Changes the file on the other thread, since the disk may be slow; then the accounts are what the file says.
  /// `json`: the answer to success.
  Handling change_tickets(const Request& request, std::function<std::string(Accounts&)> change,
                          std::string json = "{}") {
    if (!access.sign_in_needed()) {
      return answer(request, {409, error_json("bad_request", "there are no tickets where nobody has to sign in")});
    }
    asio::post(background, [this, request, change = std::move(change), json = std::move(json)] {
      Accounts changed;
      std::string refusal;
      const std::string wrong = change_accounts(users_file, [&](Accounts& accounts) {
        refusal = change(accounts);
        changed = accounts;
        return refusal;
      });
      asio::post(io, [this, request, changed = std::move(changed), refusal, wrong, json] {
        if (!refusal.empty()) return (void)answer(request, {409, error_json("bad_request", refusal)});
        if (!wrong.empty()) {
          spdlog::error("{}", wrong);
          return (void)answer(request, {503, error_json("unavailable", wrong)});
        }
        access.set_accounts(changed);
        answer(request, {200, json});
        end_streams_of_nobody();
      });
    });
    return restinio::request_accepted();
  }

  // ---- answers ---------------------------------------------------------------------------------------------------

  /// Answers from this loop, whichever thread knows the answer.
  Respond later(const Request& request) {
    return [this, request](Answer got) {
      asio::post(io, [request, got = std::move(got)] { (void)answer(request, got); });
    };
  }

  static Handling answer(const Request& request, const Answer& answer, const Headers& headers = {}) {
    auto response = request->create_response(status_line(answer.status));
    add_security(response);
    for (const auto& [name, value] : headers) response.append_header(name, value);
    response.append_header("Content-Type", "application/json; charset=utf-8")
        .append_header("Cache-Control", "no-store");
    return response.set_body(answer.json).done();
  }

  static Handling text(const Request& request, int status, std::string content) {
    auto response = request->create_response(status_line(status));
    add_security(response);
    response.append_header("Content-Type", "text/plain; charset=utf-8").append_header("Cache-Control", "no-store");
    return response.set_body(std::move(content)).done();
  }

  Handling file(const Request& request, const std::string& path) {
    const PageFile* found = page.find(path);
    if (found == nullptr) {
      const bool missing = page.find("/") == nullptr && (path == "/" || path == "/supervisor");
      return missing ? text(request, 503, "The page was not built with this program. The API is at /api/v1.\n")
                     : text(request, 404, "There is no such page.\n");
    }
    auto response = request->create_response();
    add_security(response);
    response.append_header("Content-Type", found->type)
        .append_header("Cache-Control", found->permanent ? "public, max-age=31536000, immutable" : "no-cache");
    return response.set_body(*found->content).done();
  }

  // ---- streams ---------------------------------------------------------------------------------------------------

  struct Stream {
    StreamResponse response;
    Credentials credentials;
    bool writing = false;
  };

  Handling open_stream(const Request& request, const Visitor& visitor) {
    if (streams.size() >= std::min(streams_max, connections / 2)) {
      return answer(request, {503, error_json("unavailable", "too many pages are open")}, {{"Retry-After", "10"}});
    }
    Credentials counted = what_counted(credentials(request), visitor);
    const auto of_the_same =
        std::ranges::count_if(streams, [&](const auto& each) { return each.second.credentials == counted; });
    if (access.sign_in_needed() && static_cast<std::size_t>(of_the_same) >= streams_each_max) {
      return answer(request, {503, error_json("unavailable", "too many pages are open with this sign-in or ticket")},
                    {{"Retry-After", "10"}});
    }
    auto response = request->create_response<restinio::chunked_output_t>();
    add_security(response);
    response.append_header("Content-Type", "text/event-stream; charset=utf-8")
        .append_header("Cache-Control", "no-store")
        .append_header("X-Accel-Buffering", "no");  // a proxy must not hold it back
    const std::uint64_t id = ++last_stream;
    streams.emplace(id, Stream{std::move(response), std::move(counted)});
    gateway.open_stream(id);
    return restinio::request_accepted();
  }

  /// Any thread: there is something to send.
  void wake() {
    if (!awake.exchange(true)) asio::post(io, [this] { send_all(); });
  }

  void send_all() {
    awake = false;
    for (auto it = streams.begin(); it != streams.end();) {
      const std::uint64_t id = (it++)->first;  // sending may end the stream
      send(id);
    }
  }

  /// One write at a time: what comes meanwhile waits in the outbox, merged.
  void send(std::uint64_t id) {
    const auto stream = streams.find(id);
    if (stream == streams.end() || stream->second.writing) return;
    std::optional<Gateway::Parcel> parcel = gateway.take(id);
    if (!parcel) return;
    stream->second.writing = true;
    for (Json& piece : parcel->pieces) stream->second.response.append_chunk(std::move(piece));
    if (parcel->last) {
      stream->second.response.done();
      end(id);
      return;
    }
    stream->second.response.flush(
        [this, id](const auto& error) { asio::post(io, [this, id, error] { written(id, error); }); });
  }

  void written(std::uint64_t id, const asio::error_code& error) {
    if (error) return end(id);
    const auto stream = streams.find(id);
    if (stream == streams.end()) return;
    stream->second.writing = false;
    send(id);
  }

  void end(std::uint64_t id) {
    gateway.close_stream(id);
    streams.erase(id);
  }

  /// Nothing more is told to who has signed out, whose session or ticket has ended.
  void end_streams_of_nobody() {
    for (auto it = streams.begin(); it != streams.end();) {
      const auto stream = it++;
      if (access.visitor(stream->second.credentials, now())) continue;
      stream->second.response.done();
      end(stream->first);
    }
  }

  void beat() {
    beats.expires_after(std::chrono::seconds(2));
    beats.async_wait([this](const asio::error_code& error) {
      if (error) return;
      end_streams_of_nobody();
      gateway.beat();
      stream_count = streams.size();
      beat();
    });
  }

  // ---- settings --------------------------------------------------------------------------------------------------

  void set_settings(const Settings& settings) {
    const nlohmann::ordered_json shown = {{"title", settings.title},
                                          {"language", settings.language},
                                          {"timezone", settings.timezone},
                                          {"names", settings.names}};
    std::vector<std::string> names = own_names();
    names.insert(names.end(), settings.hosts.begin(), settings.hosts.end());
    const std::lock_guard lock(mutex);
    shown_json = dump(shown);
    names_of_host = std::move(names);
  }
  std::string board_settings() const {
    const std::lock_guard lock(mutex);
    return shown_json;
  }
  std::vector<std::string> host_names() const {
    const std::lock_guard lock(mutex);
    return names_of_host;
  }

  mutable std::mutex mutex;  // guards the next two
  std::string shown_json;
  std::vector<std::string> names_of_host;
  std::atomic<bool> awake = false;
  std::atomic<std::size_t> stream_count = 0;
  std::atomic<std::uint64_t> refused = 0;  // sign-ins and tickets, since the start
  static constexpr const char* session_cookie = "reach-session";
  static constexpr const char* ticket_cookie = "reach-ticket";
  static constexpr int ticket_cookie_s = 400 * 24 * 3600;  // browsers keep none for longer
  const std::size_t connections;                           // at most
  const std::string users_file;
  const bool behind_tls;
  Page page;
  asio::io_context io{1};
  asio::thread_pool background{1};  // passwords and the users' file
  // The loop's thread alone:
  Access access;
  std::size_t checks = 0;  // passwords under way
  Limiter::Time next_word_of_too_many{};
  std::map<std::uint64_t, Stream> streams;
  std::uint64_t last_stream = 0;

  HttpServer server;
  // After the server, so that it ends first: the answers that it still gives hold connections which the server counts.
  Gateway gateway;  // its threads post to `io`
  asio::steady_timer beats;
  std::thread thread;
};

Server::Server(const Settings& settings, std::optional<Accounts> accounts, std::size_t open_files)
    : impl_(std::make_unique<Impl>(settings, std::move(accounts), open_files)) {}
Server::~Server() = default;
void Server::set_settings(const Settings& settings) {
  impl_->set_settings(settings);
}
void Server::set_accounts(Accounts accounts) {
  asio::post(impl_->io, [this, accounts = std::move(accounts)]() mutable {
    impl_->access.set_accounts(std::move(accounts));
    impl_->end_streams_of_nobody();
  });
}
std::string Server::status() const {
  return (impl_->gateway.connected() ? "connected to reachd, " : "waiting for reachd, ") +
         std::to_string(impl_->stream_count) + " pages open, " + std::to_string(impl_->refused) + " sign-ins refused";
}

}  // namespace reach::wallboard
