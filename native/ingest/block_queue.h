// Blocks from one thread to another, bounded in bytes: a slow reader makes the writer wait, not the memory grow.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "block.h"

namespace caisson {

class BlockQueue {
 public:
  explicit BlockQueue(size_t capacity) : capacity_(capacity) {}

  // Waits for room. false: nobody reads any more.
  bool push(Block block);
  // Never waits. Whether there is room for more; if not, on_room is called, on the reader's thread, when half of it is free.
  // None: nobody reads any more.
  std::optional<bool> offer(Block block);
  std::function<void()> on_room = [] {};
  // Waits for a block; none: the writer has ended.
  std::optional<Block> pop();
  // Of the writer: nothing follows.
  void end();
  // Of the reader, or of whoever wants both to stop: what is in the queue goes, pop and push return at once.
  void close();

 private:
  size_t capacity_;
  size_t held_ = 0;
  bool ended_ = false, closed_ = false, wanted_ = false;
  std::deque<Block> blocks_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace caisson
