/* SPDX-License-Identifier: MIT */
/* The page of html/, which the build makes one text of, in two parts. */
#ifndef CGC_TOOL_HTML_PAGE_H
#define CGC_TOOL_HTML_PAGE_H

extern const char html_page_before_data[], html_page_after_data[];

#endif
