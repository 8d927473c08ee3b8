// The names of the container's networks: `names/<lowercase name>/<IPv4>` and back, `names/@<IPv4>/<container>`, empty entries;
// no name has an @. The directories are the database:
// each query reads them (some 3 µs), so there is no cache that could be stale, and no watch that could run out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace caisson {

class Names {
 public:
  // `directory`: borrowed descriptor of names/; `network`: lower case, may be empty. In search order.
  void add_network(int directory, std::string network) { networks_.push_back({directory, std::move(network)}); }
  // `alias` stands for `name`, before any name of a network. Both lower case.
  void add_alias(std::string alias, std::string name) { aliases_.push_back({std::move(alias), std::move(name)}); }
  // Whether one of the networks knows the name (`web`, `web.network`). Addresses in network order, those of the first network
  // that has some; none: a service without a running replica.
  bool find(std::string_view name, std::vector<uint32_t>& addresses) const;
  // Containers of an address, `shop-web-1.network` where the network has a name.
  std::vector<std::string> find_names(uint32_t address) const;

 private:
  struct NetworkNames {
    int directory;
    std::string network;
  };
  struct Alias {
    std::string alias, name;
  };
  std::string_view meant_by(std::string_view name) const;

  std::vector<NetworkNames> networks_;
  std::vector<Alias> aliases_;
};

}  // namespace caisson
