// Having the disk hold what was written to a file.
#pragma once

namespace heartbeat::os {

// The content, and of what describes the file only what is needed to read it.  May block for as long as the
// disk does.  Returns 0 or errno's number.
[[nodiscard]] int sync_content(int descriptor);

}  // namespace heartbeat::os
