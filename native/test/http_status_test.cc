#include "../probe/http_status.h"

#include "harness.h"

namespace caisson {

void http_status_tests(Tests& tests) {
  tests.test("the status of a response is read from its first line", [&] {
    EXPECT(tests, http_status("HTTP/1.1 200 OK\r\nServer: x\r\n") == 200);
    EXPECT(tests, http_status("HTTP/1.0 404 Not Found\n") == 404);
    EXPECT(tests, http_status("HTTP/1.1 204\r\n") == 204);
  });

  tests.test("whatever is no whole status line has none", [&] {
    for (const char* response : {"", "\n", "HTTP/1.1 200 OK", "HTTP/1.1 20\n", "HTTP/1.1 2000 OK\n", "HTTP/2 200\n",
                                 "HTTP/1.1  200\n", "HTTP/1.x 200 \n", "http/1.1 200 OK\n", "HTTP/1.1 099 X\n", "HTTP/1.1 2-1 X\n",
                                 "SSH-2.0-OpenSSH_9.2p1\r\n"}) {
      EXPECT(tests, !http_status(response));
    }
  });
}

}  // namespace caisson
