/* SPDX-License-Identifier: MIT */
#ifndef CGC_TOOL_XML_TEXT_H
#define CGC_TOOL_XML_TEXT_H

/* What no XML may hold is replaced by a question mark. */
const char *xml_text(const char *text);

/* For attributes in double quotes, which would lose newlines and tabs. */
const char *xml_attribute(const char *text);

#endif
