// Where the sources lie that a test reads: documents, goldens, scenarios.
#pragma once

namespace vitald::tests {

/// The repository's top folder.
const char* source_root();

}  // namespace vitald::tests
