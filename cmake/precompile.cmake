# Compiles the headers of the standard library once per build instead of once per source.

# Sets `result` to the libraries and programs in C++ of a directory and of all below it.
function(targets_below directory result)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(folders DIRECTORY ${directory} PROPERTY SUBDIRECTORIES)
  foreach(folder ${folders})
    targets_below(${folder} of_folder)
    list(APPEND targets ${of_folder})
  endforeach()
  set(compiled)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    get_target_property(sources ${target} SOURCES)
    if(type MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$" AND sources MATCHES "\\.cpp")
      list(APPEND compiled ${target})
    endif()
  endforeach()
  set(${result} ${compiled} PARENT_SCOPE)
endfunction()

# `owner` compiles the headers, and the other targets share them. The compiler refuses them where its flags differ from
# the owner's; additional definitions do no harm.
function(share_precompiled_headers owner)
  target_precompile_headers(${owner} PRIVATE
    <algorithm> <array> <chrono> <cstddef> <cstdint> <functional> <memory> <optional> <span> <string> <string_view>
    <tl/expected.hpp> <unordered_map> <utility> <variant> <vector>)
  foreach(target ${ARGN})
    if(NOT target STREQUAL owner)
      target_precompile_headers(${target} REUSE_FROM ${owner})
    endif()
  endforeach()
endfunction()
