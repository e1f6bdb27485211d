#include "common/text.h"

#include <doctest/doctest.h>

#include "tests/unit/support/bytes.h"
#include "tests/unit/support/property.h"

using namespace heartbeat;
using namespace heartbeat::test;

TEST_CASE("UTF-8 is well-formed up to the last code point") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain"));
  CHECK(is_utf8("\xC2\x80"));          // U+0080, the first of two bytes
  CHECK(is_utf8("\xE0\xA0\x80"));      // U+0800, the first of three
  CHECK(is_utf8("\xED\x9F\xBF"));      // U+D7FF, before the surrogates
  CHECK(is_utf8("\xEE\x80\x80"));      // U+E000, after them
  CHECK(is_utf8("\xF0\x90\x80\x80"));  // U+10000, the first of four
  CHECK(is_utf8("\xF4\x8F\xBF\xBF"));  // U+10FFFF, the last of all
}

TEST_CASE("bytes that are not UTF-8 are known for it") {
  CHECK_FALSE(is_utf8("\x80"));              // a continuation without a lead
  CHECK_FALSE(is_utf8("\xC0\xAF"));          // overlong '/'
  CHECK_FALSE(is_utf8("\xC1\xBF"));          // overlong U+007F
  CHECK_FALSE(is_utf8("\xE0\x9F\xBF"));      // overlong U+07FF
  CHECK_FALSE(is_utf8("\xF0\x8F\xBF\xBF"));  // overlong U+FFFF
  CHECK_FALSE(is_utf8("\xED\xA0\x80"));      // U+D800, the first surrogate
  CHECK_FALSE(is_utf8("\xED\xBF\xBF"));      // U+DFFF, the last
  CHECK_FALSE(is_utf8("\xF4\x90\x80\x80"));  // U+110000
  CHECK_FALSE(is_utf8("\xF8\x88\x80\x80\x80"));
  CHECK_FALSE(is_utf8("\xFF"));
  CHECK_FALSE(is_utf8("\xC3("));  // a lead without its continuation
  for (std::string_view cut : {"\xC3", "\xE2\x82", "\xE2", "\xF0\x9F\x92", "\xF0\x9F", "\xF0"}) {
    CHECK_FALSE(is_utf8(cut));
    CHECK_FALSE(is_utf8("a" + std::string{cut}));
  }
}

TEST_CASE("text is printable when a person sees what is there") {
  CHECK(is_printable("pump-7 in hall \"B\""));
  CHECK(is_printable("Grüße, 心跳"));
  CHECK(is_printable("~"));
  CHECK(is_printable("\xC2\xA0"));  // the no-break space, first after C1
}

TEST_CASE("control characters and invisible marks are not printable") {
  CHECK_FALSE(is_printable("a\nb"));
  CHECK_FALSE(is_printable(with_nul("a\0b")));
  CHECK_FALSE(is_printable("\x1B[31m"));
  CHECK_FALSE(is_printable("\x1F"));
  CHECK_FALSE(is_printable("\x7F"));
  CHECK_FALSE(is_printable("\xC2\x80"));          // C1, first
  CHECK_FALSE(is_printable("\xC2\x9F"));          // C1, last
  CHECK_FALSE(is_printable("\xE2\x80\x8B"));      // zero-width space
  CHECK_FALSE(is_printable("\xE2\x80\x8F"));      // right-to-left mark
  CHECK_FALSE(is_printable("\xE2\x80\xA8"));      // line separator
  CHECK_FALSE(is_printable("\xE2\x80\xAE"));      // right-to-left override
  CHECK_FALSE(is_printable("\xE2\x81\xA6"));      // left-to-right isolate
  CHECK_FALSE(is_printable("\xD8\x9C"));          // Arabic letter mark
  CHECK_FALSE(is_printable("\xC2\xAD"));          // soft hyphen
  CHECK_FALSE(is_printable("\xEF\xBB\xBF"));      // byte order mark
  CHECK_FALSE(is_printable("\xF3\xA0\x81\x81"));  // a tag
  CHECK_FALSE(is_printable("\xFF"));
}

TEST_CASE("escaped text shows each byte that could fool a reader") {
  CHECK(escaped("plain Grüße") == "plain Grüße");
  CHECK(escaped("a\\b\"c\nd") == R"(a\\b\"c\nd)");
  CHECK(escaped(with_nul("\0\r\x1B\x7F")) == R"(\x00\x0d\x1b\x7f)");
  CHECK(escaped("x\xE2\x80\xAEy") == R"(x\xe2\x80\xaey)");
  CHECK(escaped("\xFFok\xC3") == R"(\xffok\xc3)");
}

TEST_CASE("escaped text is cut between characters, and an ellipsis says so") {
  CHECK(escaped("abcd", 4) == "abcd");
  CHECK(escaped("abcde", 4) == "abcd…");
  CHECK(escaped("abcü", 4) == "abc…");  // ü would need a fifth byte
  CHECK(escaped("abcü", 5) == "abcü");
  CHECK(escaped("a", 0) == "…");
  CHECK(escaped("", 0).empty());
}

TEST_CASE("a value in a log line is plain where that is unmistakable") {
  CHECK(log_value("pump-7") == "pump-7");
  CHECK(log_value("127.0.0.1:14000") == "127.0.0.1:14000");
  CHECK(log_value("Grüße") == "Grüße");
  CHECK(log_value("") == "\"\"");
  CHECK(log_value("two words") == "\"two words\"");
  CHECK(log_value("pump:") == "\"pump:\"");  // it would read as the beginning of the detail
  CHECK(log_value("a=b") == "\"a=b\"");
  CHECK(log_value("a\"b") == R"("a\"b")");
  CHECK(log_value("a\\b") == R"("a\\b")");
  CHECK(log_value("a\nlevel=error") == R"("a\nlevel=error")");
}

TEST_CASE("a value that white space begins or ends is quoted, whatever white space it is") {
  for (const std::string white : {" ", "\u00A0", "\u2003", "\u3000"}) {
    CHECK(log_value("pump" + white) == "\"pump" + white + '"');
    CHECK(log_value(white + "pump") == '"' + white + "pump\"");
    CHECK(has_hidden_ends(white));
  }
  CHECK(has_hidden_ends("a "));
  CHECK_FALSE(has_hidden_ends("a b"));
  CHECK_FALSE(has_hidden_ends(""));
}

TEST_CASE("a text is cut between two characters") {
  CHECK(cut_to_bytes("abü", 4) == "abü");
  CHECK(cut_to_bytes("abü", 3) == "ab");
  CHECK(cut_to_bytes("ü", 1).empty());
  CHECK(cut_to_bytes("", 0).empty());
}

TEST_CASE("escaped text is printable whatever the bytes were") {
  check_property(2000, [](const std::string& bytes) {
    RC_ASSERT(is_printable(escaped(bytes)));
    RC_ASSERT(is_printable(log_value(bytes)));
  });
}

TEST_CASE("what stands in double quotes is left out of a sentence, up to the quote that is not escaped") {
  CHECK(without_quotes("") == "");
  CHECK(without_quotes("the member 'ip' is required") == "the member 'ip' is required");
  CHECK(without_quotes(R"(at byte 3 stands "a\"b": is it?)") == "at byte 3 stands \"…\": is it?");
  CHECK(without_quotes(R"("a" and "b\\" and c)") == "\"…\" and \"…\" and c");
  CHECK(without_quotes(R"(it ends in "a)") == "it ends in \"…");
}
