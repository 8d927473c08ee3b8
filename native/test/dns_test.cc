#include <arpa/inet.h>

#include <string>
#include <vector>

#include "../netd/dns_message.h"
#include "harness.h"

namespace caisson {

namespace {

using Bytes = std::vector<uint8_t>;

Bytes header(uint8_t questions = 1, uint8_t additional = 0) {
  return {0x12, 0x34, 1, 0, 0, questions, 0, 0, 0, 0, 0, additional};
}

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes label(const std::string& text) { return Bytes{static_cast<uint8_t>(text.size())} + Bytes(text.begin(), text.end()); }

const Bytes kEnd = {0}, kAddress = {0, 1, 0, 1}, kOption = {0, 0, 41, 0x10, 0, 0, 0, 0, 0, 0, 0};

Bytes ask(const std::string& name) { return header() + label(name) + kEnd + kAddress; }

DnsVerdict verdict_of(const Bytes& message) {
  DnsQuery query;
  return read_query(message, query);
}

// The name of any length, in labels of 61 bytes and one of what is left.
Bytes long_name(size_t bytes) {
  Bytes name;
  for (; bytes > 62; bytes -= 62) name = name + label(std::string(61, 'a'));
  return name + label(std::string(bytes - 2, 'b')) + kEnd;
}

void query_tests(Tests& tests) {
  tests.test("a name is read in lower case, with dots", [&] {
    DnsQuery query;
    EXPECT(tests, read_query(header() + label("WeB") + label("Front") + kEnd + kAddress, query) == DnsVerdict::query);
    EXPECT(tests, query.name() == "web.front" && query.textual && query.id == 0x1234);
    EXPECT(tests, query.type == DnsType::a && query.klass == DnsClass::internet && query.udp_bytes == 512);
  });
  tests.test("a dot or slash within a label leaves no textual name", [&] {
    for (const char* text : {"a.b", "a/b", "a b", "\xff"}) {
      DnsQuery query;
      EXPECT(tests, read_query(ask(text), query) == DnsVerdict::query && !query.textual);
    }
  });
  tests.test("EDNS says how much the asker takes", [&] {
    DnsQuery query;
    EXPECT(tests, read_query(header(1, 1) + label("web") + kEnd + kAddress + kOption, query) == DnsVerdict::query);
    EXPECT(tests, query.edns && query.udp_bytes == 4096);
  });
  tests.test("two EDNS records, a truncated one and another version are refused", [&] {
    Bytes asked = header(1, 2) + label("web") + kEnd + kAddress + kOption;
    EXPECT(tests, verdict_of(asked + kOption) == DnsVerdict::format);
    EXPECT(tests, verdict_of(asked) == DnsVerdict::format);
    Bytes version = header(1, 1) + label("web") + kEnd + kAddress + kOption;
    version[version.size() - 5] = 1;
    EXPECT(tests, verdict_of(version) == DnsVerdict::bad_version);
  });
  tests.test("compression in a question is malformed: it could only point forward or at itself", [&] {
    for (uint8_t target : {0, 12, 14, 255}) EXPECT(tests, verdict_of(header() + Bytes{0xc0, target} + kAddress) == DnsVerdict::format);
  });
  tests.test("a name has 255 bytes at most", [&] {
    EXPECT(tests, verdict_of(header() + long_name(254) + kAddress) == DnsVerdict::query);
    EXPECT(tests, verdict_of(header() + long_name(260) + kAddress) == DnsVerdict::format);
  });
  tests.test("replies and fragments of a header are dropped, other opcodes answered so", [&] {
    Bytes reply = ask("web");
    reply[2] |= 0x80;
    EXPECT(tests, verdict_of(reply) == DnsVerdict::drop);
    EXPECT(tests, verdict_of(Bytes(11)) == DnsVerdict::drop);
    Bytes update = ask("web");
    update[2] |= 0x28;
    EXPECT(tests, verdict_of(update) == DnsVerdict::not_implemented);
    EXPECT(tests, verdict_of(header(0)) == DnsVerdict::format);
    EXPECT(tests, verdict_of(header(2) + label("web") + kEnd + kAddress) == DnsVerdict::format);
  });
}

void reply_tests(Tests& tests) {
  tests.test("what does not fit is left out whole, and said", [&] {
    Bytes asked = ask("web"), out(DNS_TCP_BYTES);
    DnsQuery query;
    (void)read_query(asked, query);
    DnsReply reply(asked, query, out, DNS_PLAIN_BYTES);
    for (int i = 0; i < 100; ++i) reply.add_address(htonl(0x0a000001), 2);
    auto written = reply.finish(DnsCode::success);
    EXPECT(tests, written.size() == 21 + 30 * 16 && written[7] == 30 && (written[2] & 2) != 0);
  });
  tests.test("labels that no name may have are not written", [&] {
    Bytes asked = ask("web"), out(DNS_TCP_BYTES);
    DnsQuery query;
    (void)read_query(asked, query);
    DnsReply reply(asked, query, out, DNS_PLAIN_BYTES);
    for (const std::string& name : {std::string(), std::string("a..b"), std::string(64, 'a'), std::string(300, 'a')}) reply.add_pointer(name, 2);
    EXPECT(tests, reply.finish(DnsCode::success).size() == asked.size());
  });
}

void answer_tests(Tests& tests) {
  Bytes asked = ask("web");
  DnsQuery query;
  (void)read_query(asked, query);
  auto check = [&](Bytes answer, uint16_t id = 0x1234) {
    answer[2] |= 0x80;
    return check_answer(answer, asked, query, id);
  };
  tests.test("an answer has the id and the question, in any case", [&] {
    EXPECT(tests, check(asked) == DnsAnswer::good);
    EXPECT(tests, check(ask("WEB")) == DnsAnswer::good);
    EXPECT(tests, check(ask("wet")) == DnsAnswer::foreign);
    EXPECT(tests, check(asked, 0x1235) == DnsAnswer::foreign);
    EXPECT(tests, check_answer(asked, asked, query, 0x1234) == DnsAnswer::foreign);
    EXPECT(tests, check(Bytes(asked.begin(), asked.end() - 1)) == DnsAnswer::foreign);
  });
  tests.test("a server that fails may leave the question out", [&] {
    Bytes failed = header(0);
    EXPECT(tests, check(failed) == DnsAnswer::foreign);
    failed[3] = 5;
    EXPECT(tests, check(failed) == DnsAnswer::failed);
  });
  tests.test("a missing name is an answer, a truncated one is not", [&] {
    Bytes missing = asked, truncated = asked;
    missing[3] = 3;
    truncated[2] |= 2;
    EXPECT(tests, check(missing) == DnsAnswer::good);
    EXPECT(tests, check(truncated) == DnsAnswer::truncated);
  });
  tests.test("an answer that is too long is cut behind its question", [&] {
    Bytes long_answer = asked;
    long_answer[7] = 60;
    long_answer.resize(1000);
    EXPECT(tests, fit_answer(long_answer, query, 1000) == 1000);
    EXPECT(tests, fit_answer(long_answer, query, 512) == asked.size());
    EXPECT(tests, long_answer[7] == 0 && (long_answer[2] & 2) != 0);
  });
}

}  // namespace

void dns_tests(Tests& tests) {
  query_tests(tests);
  reply_tests(tests);
  answer_tests(tests);
  tests.test("a reverse name is an address", [&] {
    uint32_t address = 0;
    EXPECT(tests, read_reverse_name("4.3.2.1.in-addr.arpa", address) && address == htonl(0x01020304));
    for (const char* name : {"in-addr.arpa", ".in-addr.arpa", "3.2.1.in-addr.arpa", "4.3.2.1.ip6.arpa", "400.3.2.1.in-addr.arpa"}) {
      EXPECT(tests, !read_reverse_name(name, address));
    }
  });
}

}  // namespace caisson
