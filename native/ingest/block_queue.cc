#include "block_queue.h"

namespace caisson {

bool BlockQueue::push(Block block) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || held_ < capacity_; });
  if (closed_) return false;
  held_ += block.size();
  blocks_.push_back(std::move(block));
  changed_.notify_all();
  return true;
}

std::optional<bool> BlockQueue::offer(Block block) {
  std::lock_guard lock(mutex_);
  if (closed_) return {};
  held_ += block.size();
  blocks_.push_back(std::move(block));
  changed_.notify_all();
  wanted_ = held_ >= capacity_;
  return !wanted_;
}

std::optional<Block> BlockQueue::pop() {
  std::optional<Block> block;
  bool room = false;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return closed_ || ended_ || !blocks_.empty(); });
    if (closed_ || blocks_.empty()) return {};
    block = std::move(blocks_.front());
    blocks_.pop_front();
    held_ -= block->size();
    room = wanted_ && held_ <= capacity_ / 2;
    if (room) wanted_ = false;
    changed_.notify_all();
  }
  if (room) on_room();
  return block;
}

void BlockQueue::end() {
  std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void BlockQueue::close() {
  bool room = false;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    blocks_.clear();
    held_ = 0;
    room = wanted_;
    wanted_ = false;
    changed_.notify_all();
  }
  if (room) on_room();
}

}  // namespace caisson
