#include "tests/support/source_root.hpp"

namespace vitald::tests {

// The one file that knows: were the path in every command line, no other checkout could use what was compiled here.
const char* source_root() { return VITALD_SOURCE; }

}  // namespace vitald::tests
