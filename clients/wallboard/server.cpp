#include "clients/wallboard/server.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <restinio/all.hpp>
#include <thread>
#include <utility>

#include "clients/wallboard/gateway.hpp"
#include "clients/wallboard/page.hpp"
#include "clients/wallboard/request.hpp"

namespace reach::wallboard {
namespace {

struct Traits : restinio::default_single_thread_traits_t {
  static constexpr bool use_connection_count_limiter = true;
};
using HttpServer = restinio::http_server_t<Traits>;
using Request = restinio::request_handle_t;
using StreamResponse = restinio::response_builder_t<restinio::chunked_output_t>;

// Nothing but our own files, nowhere else to send anything, in nobody's frame.
constexpr const char* content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

template <typename Response>
void add_security(Response& response) {
  response.append_header("Content-Security-Policy", content_security_policy);
  response.append_header("X-Content-Type-Options", "nosniff");
  response.append_header("Referrer-Policy", "same-origin");
  response.append_header("Cross-Origin-Opener-Policy", "same-origin");
  response.append_header("Cross-Origin-Resource-Policy", "same-origin");
}

restinio::http_status_line_t status_line(int status) {
  static const std::map<int, const char*> phrases = {{200, "OK"},
                                                     {304, "Not Modified"},
                                                     {400, "Bad Request"},
                                                     {403, "Forbidden"},
                                                     {404, "Not Found"},
                                                     {405, "Method Not Allowed"},
                                                     {413, "Payload Too Large"},
                                                     {415, "Unsupported Media Type"},
                                                     {421, "Misdirected Request"},
                                                     {503, "Service Unavailable"}};
  const auto phrase = phrases.find(status);
  return {restinio::http_status_code_t(static_cast<std::uint16_t>(status)),
          phrase == phrases.end() ? "Unknown" : phrase->second};
}

std::string header(const Request& request, const char* name) {
  return std::string(request->header().opt_value_of(name).value_or(restinio::string_view_t()));
}

std::vector<std::string> own_names() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return {};
  return {name};
}

}  // namespace

// One thread serves everything: `io` is its loop. The gateway wakes it when a stream has something to send.
struct Server::Impl {
  explicit Impl(const Settings& settings)
      : gateway(settings.publish, settings.query, client::read_keys(settings.key_files), [this] { wake(); }),
        server(restinio::external_io_context(io),
               [&](auto& with) {
                 with.address(settings.address)
                     .port(settings.port)
                     .max_parallel_connections(connections_max)
                     .concurrent_accepts_count(16)
                     .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t().max_body_size(body_bytes_max))
                     .read_next_http_message_timelimit(std::chrono::seconds(60))
                     .write_http_response_timelimit(std::chrono::seconds(stalled_s))
                     // A stream writes every two seconds; anything else has its answer sooner.
                     .handle_request_timeout(std::chrono::seconds(30))
                     .request_handler([this](auto request) { return handle(request); });
               }),
        beats(io) {
    set_settings(settings);
    const auto root = settings.web_root.empty() ? default_web_root() : std::filesystem::path(settings.web_root);
    if (root.empty()) {
      spdlog::warn("the page was not built with this program; only /api/v1 is served (web_root names a built page)");
    } else {
      page = Page::load(root);
    }
    std::exception_ptr failure;
    server.open_async([] {}, [&failure](std::exception_ptr error) { failure = error; });
    // Opening is done by the loop; one round of it tells whether the address could be had.
    io.run_one();
    if (failure) {
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
  }

  // ---- requests --------------------------------------------------------------------------------------------------

  restinio::request_handling_status_t handle(const Request& request) {
    const std::string path(request->header().path());
    const auto method = request->header().method();
    const bool get = method == restinio::http_method_get();
    if (!is_known_host(header(request, "Host"), host_names())) {
      return answer(request, {421, error_json("bad_request",
                                              "the page is not served under this name; add it to \"hosts\" in "
                                              "wallboard.toml if it is yours")});
    }
    if (method == restinio::http_method_post()) return handle_post(request, path);
    if (!get) return answer(request, {405, error_json("bad_request", "only GET and POST are known")});

    if (path == "/healthz") return text(request, 200, "ok\n");
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
    if (path == "/api/v1/stream") return open_stream(request);
    return file(request, path);
  }

  restinio::request_handling_status_t handle_post(const Request& request, const std::string& path) {
    const auto alert = acknowledged_alert(path);
    if (!alert) return answer(request, {404, error_json("not_found", "nothing is to be posted here")});
    if (!is_same_origin({header(request, "Host"), header(request, "Origin"), header(request, "Sec-Fetch-Site")})) {
      return answer(request, {403, error_json("not_allowed", "another site's page may not acknowledge")});
    }
    if (!is_json(header(request, "Content-Type"))) {
      return answer(request, {415, error_json("bad_request", "expected Content-Type: application/json")});
    }
    AcknowledgeBody body = read_acknowledge(request->body());
    if (!body.acknowledge) return answer(request, {400, error_json("bad_request", body.problem)});
    gateway.acknowledge(*alert, body.acknowledge->by, body.acknowledge->note, later(request));
    return restinio::request_accepted();
  }

  static std::optional<std::string> query_value(std::string_view query, std::string_view name) {
    while (!query.empty()) {
      const std::string_view pair = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(query.size(), pair.size() + 1));
      if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=') {
        return percent_decoded(pair.substr(name.size() + 1));
      }
    }
    return std::nullopt;
  }

  /// Answers from this loop, whichever thread knows the answer.
  Respond later(const Request& request) {
    return [this, request](Answer got) {
      asio::post(io, [request, got = std::move(got)] { (void)answer(request, got); });
    };
  }

  static restinio::request_handling_status_t answer(const Request& request, const Answer& answer) {
    auto response = request->create_response(status_line(answer.status));
    add_security(response);
    response.append_header("Content-Type", "application/json; charset=utf-8")
        .append_header("Cache-Control", "no-store");
    return response.set_body(answer.json).done();
  }

  static restinio::request_handling_status_t text(const Request& request, int status, std::string content) {
    auto response = request->create_response(status_line(status));
    add_security(response);
    response.append_header("Content-Type", "text/plain; charset=utf-8").append_header("Cache-Control", "no-store");
    return response.set_body(std::move(content)).done();
  }

  restinio::request_handling_status_t file(const Request& request, const std::string& path) {
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
    bool writing = false;
  };

  restinio::request_handling_status_t open_stream(const Request& request) {
    auto response = request->create_response<restinio::chunked_output_t>();
    add_security(response);
    response.append_header("Content-Type", "text/event-stream; charset=utf-8")
        .append_header("Cache-Control", "no-store")
        .append_header("X-Accel-Buffering", "no");  // a proxy must not hold it back
    const std::uint64_t id = ++last_stream;
    streams.emplace(id, Stream{std::move(response)});
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
    stream->second.response.append_chunk(std::move(parcel->text));
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

  void beat() {
    beats.expires_after(std::chrono::seconds(2));
    beats.async_wait([this](const asio::error_code& error) {
      if (error) return;
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
    shown_json = shown.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
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
  Page page;
  asio::io_context io{1};
  // The loop's thread alone:
  std::map<std::uint64_t, Stream> streams;
  std::uint64_t last_stream = 0;

  Gateway gateway;  // its threads post to `io`
  HttpServer server;
  asio::steady_timer beats;
  std::thread thread;
};

Server::Server(const Settings& settings) : impl_(std::make_unique<Impl>(settings)) {}
Server::~Server() = default;
void Server::set_settings(const Settings& settings) {
  impl_->set_settings(settings);
}
std::string Server::status() const {
  return (impl_->gateway.connected() ? "connected to reachd, " : "waiting for reachd, ") +
         std::to_string(impl_->stream_count) + " pages open";
}

}  // namespace reach::wallboard
