# Makes one document of the page's files, and C++ of that.
#
#   cmake -D FROM=DIRECTORY -D TO=FILE -D MAX=BYTES -P embed_page.cmake
#
# Comment lines of the scripts and the indentation of all are for readers of the sources, and are left out.
#
# The style takes the place of the link to style.css. The scripts are one, in the order in which index.html names
# them, in the place of the last. The policy allows both by their SHA-256, which has to be that of exactly the
# bytes between the tags.
cmake_minimum_required(VERSION 3.24)

file(READ ${FROM}/index.html html)
file(READ ${FROM}/style.css style)

# Takes the one place where `tag` stands out of the document, with `text` for it.
function(replace_tag tag text)
  string(FIND "${html}" "${tag}" first)
  string(FIND "${html}" "${tag}" last REVERSE)
  if(first EQUAL -1 OR NOT first EQUAL last)
    message(FATAL_ERROR "index.html must have exactly one ${tag}")
  endif()
  string(REPLACE "${tag}" "${text}" html "${html}")
  set(html "${html}" PARENT_SCOPE)
endfunction()

string(REGEX MATCHALL "<script src=\"[a-z_]+\\.js\"></script>" tags "${html}")
if(NOT tags)
  message(FATAL_ERROR "index.html names no script")
endif()
list(POP_BACK tags last_tag)
set(script "")
foreach(tag IN LISTS tags ITEMS ${last_tag})
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" name "${tag}")
  file(READ ${FROM}/${name} text)
  string(REGEX REPLACE "\n *//[^\n]*" "" text "\n${text}")
  string(APPEND script "${text}")
endforeach()

# No text of the page may go over the end of a line: its indentation would be lost.
foreach(part html style script)
  string(REGEX REPLACE "\n +" "\n" ${part} "${${part}}")
endforeach()

foreach(part style script)
  if("${${part}}" MATCHES "<(/${part}|!--)")
    message(FATAL_ERROR "the ${part} of the page must not contain ${CMAKE_MATCH_0}")
  endif()
endforeach()

replace_tag("<link rel=\"stylesheet\" href=\"style.css\">" "<style>${style}</style>")
foreach(tag IN LISTS tags)
  replace_tag("${tag}\n" "")
endforeach()
replace_tag("${last_tag}" "<script>${script}</script>")
if(html MATCHES "<(link|script)[^>]* (href|src)=\"[^d][^>]*>")
  message(FATAL_ERROR "the page would load ${CMAKE_MATCH_0}")
endif()
string(LENGTH "${html}" size)
if(size GREATER MAX)
  message(FATAL_ERROR "the page has ${size} bytes, and ${MAX} are allowed")
endif()

# Base64 of the SHA-256 of a text: three hexadecimal digits are two of its letters.
function(sha256_base64 text result)
  set(letters "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
  string(SHA256 digits "${text}")
  set(base64 "")
  foreach(at RANGE 0 60 3)
    string(SUBSTRING ${digits} ${at} 3 three)
    math(EXPR first "0x${three} / 64")
    math(EXPR second "0x${three} % 64")
    string(SUBSTRING ${letters} ${first} 1 first)
    string(SUBSTRING ${letters} ${second} 1 second)
    string(APPEND base64 ${first}${second})
  endforeach()
  string(SUBSTRING ${digits} 63 1 last)
  math(EXPR last "0x${last} * 4")
  string(SUBSTRING ${letters} ${last} 1 last)
  set(${result} "${base64}${last}=" PARENT_SCOPE)
endfunction()

sha256_base64("${style}" style_hash)
sha256_base64("${script}" script_hash)
string(SHA256 etag "${html}")
string(SUBSTRING ${etag} 0 16 etag)

file(WRITE ${TO}.html "${html}")
file(READ ${TO}.html bytes HEX)
file(REMOVE ${TO}.html)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)"
  "\\1\n" bytes "${bytes}")

file(CONFIGURE OUTPUT ${TO} @ONLY CONTENT [[
// Made from daemon/http/page/ by daemon/http/embed_page.cmake.
#include "daemon/http/page.h"

namespace heartbeat::http {
namespace {

constexpr unsigned char kHtml[] = {
@bytes@};

}  // namespace

const Page& page() {
  static const Page kPage{
      .html = {reinterpret_cast<const char*>(kHtml), sizeof kHtml},
      .etag = "\"@etag@\"",
      .policy = "default-src 'none'; script-src 'sha256-@script_hash@'; "
                "style-src 'sha256-@style_hash@'; "
                "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                "frame-ancestors 'none'"};
  return kPage;
}

}  // namespace heartbeat::http
]])
