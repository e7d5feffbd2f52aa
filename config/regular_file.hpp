// Reading a small file whole, without ever waiting for it.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "config/result.hpp"

namespace vitald::config {

struct FileText {
  std::string text;
  dev_t device = 0;  // with the inode the identity of the file, whatever it is called
  ino_t inode = 0;
  mode_t mode = 0;
};

/// Regular files only (a FIFO would block, /dev/zero never ends), at most `most` bytes. A file that changes while it is
/// read is read again, up to five times.
Result<FileText> read_regular_file(const std::string& path, std::size_t most);

}  // namespace vitald::config
