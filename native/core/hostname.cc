#include <unistd.h>

#include "child.h"
#include "sys.h"

namespace caisson {

Result<void> set_names(Child& child) {
  const std::string& host = child.plan.hostname;
  const std::string& domain = child.plan.domainname;
  if (!host.empty()) TRY(sys::check(::sethostname(host.data(), host.size()), "sethostname", host));
  if (!domain.empty()) TRY(sys::check(::setdomainname(domain.data(), domain.size()), "setdomainname", domain));
  return {};
}

}  // namespace caisson
