#include "daemon/shell/http.hpp"

#include <chrono>
#include <restinio/all.hpp>
#include <utility>

#include "daemon/program/http_traits.hpp"
#include "daemon/program/program.hpp"
#include "daemon/shell/socket.hpp"

namespace reach::shell {
namespace {

using Server = restinio::http_server_t<program::HttpTraits>;

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

/// "http://127.0.0.1:9570", "http://[::1]:9570"; the settings loader has checked the form.
Address address_of(const std::string& endpoint) {
  std::string rest = endpoint;
  if (const auto scheme = rest.find("://"); scheme != std::string::npos) rest = rest.substr(scheme + 3);
  if (const auto slash = rest.find('/'); slash != std::string::npos) rest.resize(slash);
  const auto colon = rest.rfind(':');
  if (colon == std::string::npos) {
    throw StartProblem("the metrics endpoint " + endpoint + " has no port", program::exit_configuration);
  }
  Address address{rest.substr(0, colon), static_cast<std::uint16_t>(std::stoul(rest.substr(colon + 1)))};
  if (address.host.starts_with('[')) address.host = address.host.substr(1, address.host.size() - 2);
  if (address.host == "localhost") address.host = "127.0.0.1";
  return address;
}

}  // namespace

struct HttpServer::Impl {
  Impl(asio::io_context& io, const Address& address, std::function<void(const std::string&, HttpReply)> handle)
      : server(restinio::external_io_context(io), [&](auto& settings) {
          settings.address(address.host)
              .port(address.port)
              .max_parallel_connections(100)
              .read_next_http_message_timelimit(std::chrono::seconds(30))
              .write_http_response_timelimit(std::chrono::seconds(10))
              .handle_request_timeout(std::chrono::seconds(10))
              .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t{}
                                            .max_url_size(1024)
                                            .max_field_name_size(256)
                                            .max_field_value_size(4096)
                                            .max_field_count(64)
                                            .max_body_size(1024))
              .request_handler([&io, handle = std::move(handle)](restinio::request_handle_t request) {
                if (request->header().method() != restinio::http_method_get()) {
                  return request->create_response(restinio::status_method_not_allowed())
                      .append_header(restinio::http_field::allow, "GET")
                      .set_body("only GET is answered here\n")
                      .done();
                }
                handle(std::string(request->header().path()), [&io, request](HttpAnswer answer) {
                  asio::post(io, [request, answer = std::move(answer)] {
                    request
                        ->create_response(restinio::http_status_line_t(
                            restinio::http_status_code_t(static_cast<std::uint16_t>(answer.status)),
                            answer.status == 200 ? "OK" : "Not OK"))
                        .append_header(restinio::http_field::content_type, answer.content_type)
                        .append_header("X-Content-Type-Options", "nosniff")
                        .set_body(answer.body)
                        .done();
                  });
                });
                return restinio::request_accepted();
              });
        }) {}

  Server server;
};

HttpServer::HttpServer(asio::io_context& io, const std::string& endpoint,
                       std::function<void(const std::string&, HttpReply)> handle)
    : impl_(std::make_unique<Impl>(io, address_of(endpoint), std::move(handle))) {
  try {
    impl_->server.open_sync();
  } catch (const std::exception& e) {
    throw StartProblem("cannot listen at " + endpoint + ": " + e.what() +
                           "; another program has it: stop that one, or set another metrics endpoint",
                       program::exit_not_reachable);
  }
}

HttpServer::~HttpServer() {
  impl_->server.close_sync();
}

}  // namespace reach::shell
