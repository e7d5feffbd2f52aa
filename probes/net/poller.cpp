#include "probes/net/poller.hpp"

#include <boost/system/error_code.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "probes/failure.hpp"

namespace vitald::net {

namespace {

int make_set() {
  const int set = ::epoll_create1(EPOLL_CLOEXEC);
  if (set < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return set;
}

}  // namespace

Poller::Poller(boost::asio::any_io_executor loop) : loop_(std::move(loop)), set_(loop_, make_set()) {}

void Poller::close() {
  boost::system::error_code ignored;
  set_.close(ignored);
  // A coroutine that waits here owns its frame through the handler that its watch holds: nobody else can free it.
  while (!held_.empty()) {
    auto* watch = held_.back();
    release(*watch);
    watch->abandon();
  }
}

void Poller::control(int operation, int descriptor, std::uint32_t events, Watch* watch) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = watch;
  if (::epoll_ctl(set_.native_handle(), operation, descriptor, &event) != 0)
    throw probes::failure_from(std::error_code(errno, std::generic_category()), "watch a connection");
}

void Poller::add(int descriptor, std::uint32_t events, Watch& watch) {
  control(EPOLL_CTL_ADD, descriptor, events, &watch);
}

void Poller::change(int descriptor, std::uint32_t events, Watch& watch) {
  control(EPOLL_CTL_MOD, descriptor, events, &watch);
}

void Poller::remove(int descriptor) noexcept {
  epoll_event event{};  // kernels before 2.6.9 wanted one; harmless
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, descriptor, &event);
}

void Poller::forget(Watch& watch) noexcept {
  release(watch);
  for (auto at = batch_next_; at < batch_size_; ++at)
    if (batch_[at].data.ptr == &watch) batch_[at].data.ptr = nullptr;
}

void Poller::hold(Watch& watch) {
  if (watch.held_at_ != not_held) return;
  watch.held_at_ = held_.size();
  held_.push_back(&watch);
  arm();
}

void Poller::release(Watch& watch) noexcept {
  if (watch.held_at_ == not_held) return;
  held_.back()->held_at_ = watch.held_at_;
  held_[watch.held_at_] = held_.back();
  held_.pop_back();
  watch.held_at_ = not_held;
  // Nobody waits: the wait on the set alone must not keep the loop from ending.
  if (held_.empty() && armed_ && set_.is_open()) set_.cancel();
}

void Poller::arm() {
  if (armed_ || held_.empty() || !set_.is_open()) return;
  armed_ = true;
  set_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                  [self = weak_from_this()](const boost::system::error_code& error) {
                    const auto poller = self.lock();
                    if (!poller) return;
                    poller->armed_ = false;
                    if (!poller->set_.is_open()) return;
                    if (!error) poller->deliver();
                    poller->arm();
                  });
}

void Poller::deliver() {
  const int count = ::epoll_wait(set_.native_handle(), batch_.data(), static_cast<int>(batch_.size()), 0);
  batch_size_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  batch_next_ = 0;
  while (batch_next_ < batch_size_ && set_.is_open()) {
    const auto& event = batch_[batch_next_++];
    if (event.data.ptr != nullptr) static_cast<Watch*>(event.data.ptr)->ready(event.events);
  }
  batch_size_ = 0;
}

}  // namespace vitald::net
