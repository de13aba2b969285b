#include "clients/adapters/asterisk/session.hpp"

#include <array>
#include <asio.hpp>
#include <thread>

namespace reach::asterisk {
namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

constexpr auto first_pause = 500ms;
constexpr auto longest_pause = std::chrono::milliseconds(10s);
constexpr auto connect_timeout = 5s;
constexpr auto tick = 50ms;  // how late a verdict that waits for time may come

Time wall_now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

Duration monotonic_now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

struct Session::Impl {
  Impl(std::string to_host, std::uint16_t to_port, AmiDialogue with, SessionCalls back)
      : host(std::move(to_host)), port(to_port), dialogue(std::move(with)), calls(std::move(back)) {
    calls.upstream(false);
    connect();
    schedule_tick();
    thread = std::thread([this] { io.run(); });
  }

  ~Impl() {
    asio::post(io, [this] {
      DialogueOutput out;
      dialogue.end(read_clock(), out);
      for (const v1::Event& event : out.events) calls.event(event);
      io.stop();
    });
    thread.join();
  }

  /// This machine's clock. The dialogue learns first if it was set.
  Time read_clock() {
    const Time now = wall_now();
    if (const Duration by = steps.since_last(now, monotonic_now()); by != Duration::zero()) {
      dialogue.clock_stepped(by);
      calls.note("this machine's clock was set " + std::string(by < Duration::zero() ? "back" : "forward") + " by " +
                 format_duration(std::chrono::abs(by)));
    }
    return now;
  }

  // Every connection has a number: what belongs to a former one is ignored when it comes in late.
  void connect() {
    const std::uint64_t mine = ++connection;
    parser.reset();
    outbox.clear();
    writing = false;
    socket = tcp::socket(io);
    guard.expires_after(connect_timeout);
    guard.async_wait([this, mine](const asio::error_code& error) {
      if (!error && mine == connection && !is_open) fail("does not answer");
    });
    resolver.async_resolve(host, std::to_string(port), [this, mine](const asio::error_code& error, const auto& found) {
      if (mine != connection) return;
      if (error) {
        fail_with("cannot find the host " + host + " (" + error.message() + "); check host in [pbx]");
        return;
      }
      asio::async_connect(socket, found, [this, mine](const asio::error_code& failed, const tcp::endpoint&) {
        if (mine != connection) return;
        guard.cancel();
        if (failed) {
          fail(failed.message());
          return;
        }
        is_open = true;
        asio::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        socket.set_option(asio::socket_base::keep_alive(true), ignored);
        socket.set_option(asio::socket_base::receive_buffer_size(4 << 20), ignored);  // Asterisk never waits for us
        dialogue.connected(read_clock());
        read(mine);
      });
    });
  }

  void fail(const std::string& why) {
    fail_with("cannot connect to Asterisk at " + host + ":" + std::to_string(port) + " (" + why +
              "); in manager.conf, section [general]: enabled = yes, port = " + std::to_string(port) +
              ", and bindaddr must be reachable from here");
  }

  void fail_with(const std::string& sentence) {
    ++connection;
    is_open = false;
    guard.cancel();
    asio::error_code ignored;
    socket.close(ignored);
    DialogueOutput out;
    dialogue.disconnected(sentence, read_clock(), out);
    carry_out(out);
    retry.expires_after(pause);
    pause = std::min(pause * 2, longest_pause);
    retry.async_wait([this](const asio::error_code& error) {
      if (!error) connect();
    });
  }

  void read(std::uint64_t mine) {
    socket.async_read_some(asio::buffer(buffer), [this, mine](const asio::error_code& error, std::size_t size) {
      if (mine != connection) return;
      if (error) {
        fail_with("the connection to Asterisk at " + host + ":" + std::to_string(port) + " broke (" + error.message() +
                  "); if that happens under load, raise writetimeout of the user in manager.conf to 5000");
        return;
      }
      const Time now = read_clock();
      DialogueOutput out;
      parser.feed(std::string_view(buffer.data(), size), [&](const AmiMessage& message) {
        if (out.close.empty()) dialogue.take(message, now, out);
      });
      carry_out(out);
      if (mine == connection) read(mine);
    });
  }

  void carry_out(DialogueOutput& out) {
    for (const std::string& sentence : out.notes) calls.note(sentence);
    for (const std::string& sentence : out.problems) calls.problem(sentence);
    for (const v1::Event& event : out.events) calls.event(event);
    if (dialogue.hears() != heard) {
      heard = !heard;
      calls.upstream(heard);
      if (heard) pause = first_pause;
    }
    if (!is_open) return;
    outbox += out.send;
    if (!out.close.empty())
      fail_with(out.close);
    else
      write(connection);
  }

  void write(std::uint64_t mine) {
    if (writing || outbox.empty()) return;
    writing = true;
    sending = std::exchange(outbox, {});
    asio::async_write(socket, asio::buffer(sending), [this, mine](const asio::error_code& error, std::size_t) {
      if (mine != connection) return;
      writing = false;
      if (!error) write(mine);  // an error shows in the read too
    });
  }

  void schedule_tick() {
    ticker.expires_after(tick);
    ticker.async_wait([this](const asio::error_code& error) {
      if (error) return;
      const Time now = read_clock();
      if (dialogue.next_wakeup() <= now) {
        DialogueOutput out;
        dialogue.pass(now, out);
        carry_out(out);
      }
      calls.passed(now);
      if (const DialogueMemory memory = dialogue.memory(); memory != remembered) {
        remembered = memory;
        calls.memory(memory);
      }
      schedule_tick();
    });
  }

  std::string host;
  std::uint16_t port;
  AmiDialogue dialogue;
  SessionCalls calls;
  ClockSteps steps;
  asio::io_context io;
  tcp::resolver resolver{io};
  tcp::socket socket{io};
  asio::steady_timer guard{io}, retry{io}, ticker{io};
  AmiParser parser;
  std::array<char, 256 * 1024> buffer{};
  std::string outbox, sending;
  std::uint64_t connection = 0;
  std::chrono::milliseconds pause = first_pause;
  DialogueMemory remembered;
  bool is_open = false, writing = false, heard = false;
  std::thread thread;
};

Session::Session(std::string host, std::uint16_t port, AmiDialogue dialogue, SessionCalls calls)
    : impl_(std::make_unique<Impl>(std::move(host), port, std::move(dialogue), std::move(calls))) {}
Session::~Session() = default;

}  // namespace reach::asterisk
