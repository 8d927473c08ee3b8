// Functions about a NetworkRoot. What the kernel does at once happens on the calling thread, in the other namespace for the
// moment that takes; deleting and asking, which can take milliseconds, on a thread that owns its socket.
#include <fcntl.h>
#include <sys/socket.h>

#include <memory>

#include "../network/links.h"
#include "../network/listen.h"
#include "../network/namespace_visit.h"
#include "../network/netlink.h"
#include "../core/sys.h"
#include "addon.h"

namespace caisson::addon {

namespace {

constexpr size_t SYSCTL_BYTES = 4096;

using Bytes = std::vector<uint8_t>;

int int_of(const Napi::Value& value) { return value.ToNumber().Int32Value(); }

Bytes bytes_of(const Napi::Value& value) {
  Napi::Uint8Array array = value.As<Napi::Uint8Array>();
  return Bytes(array.Data(), array.Data() + array.ByteLength());
}

template <size_t N>
std::array<uint8_t, N> array_of(const Napi::Value& value) {
  std::array<uint8_t, N> array = {};
  Bytes bytes = bytes_of(value);
  std::copy_n(bytes.begin(), std::min(bytes.size(), N), array.begin());
  return array;
}

template <class T>
Result<T> in_network(Result<T> result) {
  return in_section("network", 0, std::move(result));
}

// A promise of nothing, of work with a netlink socket of its own.
Napi::Value run_with(Napi::Env env, Result<Fd> opened, std::function<Result<void>(int socket)> work) {
  if (!opened) return throw_failure(env, in_network(std::move(opened)).failure());
  auto socket = std::make_shared<Fd>(std::move(opened).value());
  auto run = [socket, work]() -> Result<bool> {
    TRY(in_network(work(socket->get())));
    return true;
  };
  return Task<bool>::run(env, run, [](Napi::Env env, bool) { return env.Undefined(); });
}

Napi::Value netlink_socket(const Napi::CallbackInfo& info) {
  Result<Fd> fd = in_network(open_netlink_in(int_of(info[0]), int_of(info[1])));
  if (!fd) return throw_failure(info.Env(), fd.failure());
  return Napi::Number::New(info.Env(), fd.value().release());
}

Napi::Value netlink_talk(const Napi::CallbackInfo& info) {
  // A copy: the caller may close its own before the answer is there.
  Result<Fd> opened = in_network(sys::check_fd(::fcntl(int_of(info[0]), F_DUPFD_CLOEXEC, 0), "fcntl", "netlink"));
  if (!opened) return throw_failure(info.Env(), opened.failure());
  auto socket = std::make_shared<Fd>(std::move(opened).value());
  uint32_t ends = info[2].ToNumber().Uint32Value();
  auto work = [socket, messages = bytes_of(info[1]), ends] {
    return in_network(caisson::netlink_talk(socket->get(), messages, ends));
  };
  return Task<Bytes>::run(info.Env(), work, [](Napi::Env env, Bytes replies) {
    return Napi::Buffer<uint8_t>::Copy(env, replies.data(), replies.size());
  });
}

Napi::Value bridge_ensure(const Napi::CallbackInfo& info) {
  Napi::Object object = info[1].As<Napi::Object>();
  Bridge bridge = {
      .name = object.Get("name").ToString().Utf8Value(),
      .address = array_of<4>(object.Get("address")),
      .prefix_length = static_cast<uint8_t>(int_of(object.Get("prefixLength"))),
      .mac = array_of<6>(object.Get("mac")),
      .mtu = object.Get("mtu").ToNumber().Uint32Value(),
  };
  auto work = [bridge](int socket) { return ensure_bridge(socket, bridge); };
  return run_with(info.Env(), open_netlink_in(int_of(info[0]), NETLINK_ROUTE), work);
}

Napi::Value link_delete(const Napi::CallbackInfo& info) {
  std::string name = info[1].ToString().Utf8Value();
  auto work = [name](int socket) { return delete_link(socket, name); };
  return run_with(info.Env(), open_netlink_in(int_of(info[0]), NETLINK_ROUTE), work);
}

Result<std::vector<Route>> routes_in(int network_namespace) {
  Fd socket = TRY(open_netlink_in(network_namespace, NETLINK_ROUTE));
  return list_routes(socket.get());
}

Napi::Value routes(const Napi::CallbackInfo& info) {
  auto found = in_network(routes_in(int_of(info[0])));
  if (!found) return throw_failure(info.Env(), found.failure());
  Napi::Array array = Napi::Array::New(info.Env(), found.value().size());
  uint32_t index = 0;
  for (const Route& route : found.value()) {
    Napi::Array item = Napi::Array::New(info.Env(), 3);
    item.Set(0u, Napi::Buffer<uint8_t>::Copy(info.Env(), route.address.data(), route.address.size()));
    item.Set(1u, Napi::Number::New(info.Env(), route.prefix_length));
    item.Set(2u, route.interface);
    array.Set(index++, item);
  }
  return array;
}

Result<std::vector<std::string>> links_in(int network_namespace) {
  Fd socket = TRY(open_netlink_in(network_namespace, NETLINK_ROUTE));
  return list_links(socket.get());
}

Napi::Value links(const Napi::CallbackInfo& info) {
  auto found = in_network(links_in(int_of(info[0])));
  if (!found) return throw_failure(info.Env(), found.failure());
  Napi::Array array = Napi::Array::New(info.Env(), found.value().size());
  uint32_t index = 0;
  for (const std::string& name : found.value()) array.Set(index++, name);
  return array;
}

Result<void> write_sysctl(int network_namespace, const std::string& path, const std::string& value) {
  NamespaceVisit visit = TRY(NamespaceVisit::enter(network_namespace));
  return sys::write_file(AT_FDCWD, "/proc/sys/" + path, value);
}

Napi::Value network_sysctl(const Napi::CallbackInfo& info) {
  auto written = in_network(write_sysctl(int_of(info[0]), info[1].ToString(), info[2].ToString()));
  if (!written) return throw_failure(info.Env(), written.failure());
  return info.Env().Undefined();
}

Result<std::string> read_sysctl(int network_namespace, const std::string& path) {
  NamespaceVisit visit = TRY(NamespaceVisit::enter(network_namespace));
  return sys::read_file(AT_FDCWD, "/proc/sys/" + path, SYSCTL_BYTES);
}

Napi::Value read_network_sysctl(const Napi::CallbackInfo& info) {
  auto content = in_network(read_sysctl(int_of(info[0]), info[1].ToString()));
  if (content) return Napi::String::New(info.Env(), content.value());
  if (content.failure().error == ENOENT) return info.Env().Undefined();
  return throw_failure(info.Env(), content.failure());
}

struct ListenRequest {
  Protocol protocol;
  Bytes address;
  uint16_t port;
  uint32_t mark;
};

Result<BoundSocket> listen_in(int network_namespace, const ListenRequest& request) {
  NamespaceVisit visit = TRY(NamespaceVisit::enter(network_namespace));
  return listen_on(request.protocol, request.address, request.port, request.mark);
}

Napi::Value listen_socket(const Napi::CallbackInfo& info) {
  Napi::Object options = info[1].As<Napi::Object>();
  ListenRequest request = {
      .protocol = options.Get("protocol").ToString().Utf8Value() == "udp" ? Protocol::udp : Protocol::tcp,
      .address = bytes_of(options.Get("address")),
      .port = static_cast<uint16_t>(options.Get("port").ToNumber().Uint32Value()),
      .mark = options.Get("mark").ToNumber().Uint32Value(),
  };
  auto bound = in_network(listen_in(int_of(info[0]), request));
  if (!bound) return throw_failure(info.Env(), bound.failure());
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("fd", bound.value().fd.release());
  result.Set("port", bound.value().port);
  return result;
}

}  // namespace

void export_network(Napi::Env env, Napi::Object exports) {
  exports.Set("netlinkSocket", Napi::Function::New(env, netlink_socket, "netlinkSocket"));
  exports.Set("netlinkTalk", Napi::Function::New(env, netlink_talk, "netlinkTalk"));
  exports.Set("bridgeEnsure", Napi::Function::New(env, bridge_ensure, "bridgeEnsure"));
  exports.Set("linkDelete", Napi::Function::New(env, link_delete, "linkDelete"));
  exports.Set("routes", Napi::Function::New(env, routes, "routes"));
  exports.Set("links", Napi::Function::New(env, links, "links"));
  exports.Set("networkSysctl", Napi::Function::New(env, network_sysctl, "networkSysctl"));
  exports.Set("readNetworkSysctl", Napi::Function::New(env, read_network_sysctl, "readNetworkSysctl"));
  exports.Set("listen", Napi::Function::New(env, listen_socket, "listen"));
}

}  // namespace caisson::addon
