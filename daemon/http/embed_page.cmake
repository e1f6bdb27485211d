# Makes one document of the page's three files, and C++ of that.
#
#   cmake -D FROM=DIRECTORY -D TO=FILE -D MAX=BYTES -P embed_page.cmake
#
# The style takes the place of the link to style.css. The script goes to the end of the body, in the place of
# page.js: a script that stands in a document does not wait for the document. The policy allows both by
# their SHA-256, which has to be that of exactly the bytes between the tags.
cmake_minimum_required(VERSION 3.24)

file(READ ${FROM}/index.html html)
file(READ ${FROM}/style.css style)
file(READ ${FROM}/page.js script)

foreach(part style script)
  if("${${part}}" MATCHES "</(${part}|!--)")
    message(FATAL_ERROR "the ${part} of the page must not contain </${part}")
  endif()
endforeach()

# Takes the one place that looks like `pattern` out of the document, with `text` for it.
function(replace_tag pattern text)
  string(REGEX MATCHALL "${pattern}" found "${html}")
  list(LENGTH found count)
  if(NOT count EQUAL 1)
    message(FATAL_ERROR "index.html must have exactly one ${pattern}, not ${count}")
  endif()
  string(REPLACE "${found}" "${text}" html "${html}")
  set(html "${html}" PARENT_SCOPE)
endfunction()

replace_tag("<link[^>]*href=\"/?style\\.css\"[^>]*>" "<style>${style}</style>")
replace_tag("<script[^>]*src=\"/?page\\.js\"[^>]*></script>" "")
string(FIND "${html}" "</body>" end REVERSE)
if(end EQUAL -1)
  message(FATAL_ERROR "index.html has no </body>")
endif()
string(SUBSTRING "${html}" 0 ${end} before)
string(SUBSTRING "${html}" ${end} -1 after)
set(html "${before}<script>${script}</script>\n${after}")

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
