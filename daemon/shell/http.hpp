// /metrics, /healthz and /readyz for the operator's tools: GET only, on the main thread.
#pragma once
#include <functional>
#include <memory>
#include <string>

namespace asio {
class io_context;
}

namespace reach::shell {

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};
/// Gives the answer to one request, once, from any thread.
using HttpReply = std::function<void(HttpAnswer)>;

/// Serves GET until it is destroyed or `io` stops. At most 100 connections, each request within 10 s and 8 KiB.
class HttpServer {
 public:
  /// `endpoint`: "http://ADDRESS:PORT". `handle` gets the path of each GET, on the thread that runs `io`.
  /// Throws StartProblem if it cannot listen there.
  HttpServer(asio::io_context& io, const std::string& endpoint,
             std::function<void(const std::string& path, HttpReply reply)> handle);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reach::shell
