// SPDX-License-Identifier: Apache-2.0
//
// MessagePack for plugins in C, without a library: a writer into a buffer of the caller's, a reader
// over bytes that are borrowed. Nothing here allocates. Header only; no part of the ABI.
#pragma once

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

// -- writing --------------------------------------------------------------------------------------

/// Writes values one after another. What does not fit is counted, not written, so a second try with
/// `size` bytes fits.
typedef struct troupe_packer {
  uint8_t* out;
  uint64_t capacity;
  uint64_t size;
} troupe_packer_t;

static inline troupe_packer_t troupe_packer(void* out, size_t capacity) {
  troupe_packer_t p;
  p.out = (uint8_t*)out;
  p.capacity = capacity;
  p.size = 0;
  return p;
}

/// What was written; data is null and size 0 if it did not fit.
static inline troupe_bytes_t troupe_packed(const troupe_packer_t* p) {
  return p->size <= p->capacity ? troupe_bytes(p->out, (size_t)p->size) : troupe_bytes(NULL, 0);
}

static inline void troupe_pack_raw(troupe_packer_t* p, const void* data, uint64_t size) {
  if (size > 0 && p->size <= p->capacity && size <= p->capacity - p->size)
    memcpy(p->out + p->size, data, (size_t)size);
  p->size += size;
}

/// A type byte and a number of `width` bytes, most significant first.
static inline void troupe_pack_head(troupe_packer_t* p, uint8_t type, uint64_t number, int width) {
  uint8_t head[9];
  int i;
  head[0] = type;
  for (i = 0; i < width; ++i)
    head[1 + i] = (uint8_t)(number >> (8 * (width - 1 - i)));
  troupe_pack_raw(p, head, (uint64_t)width + 1);
}

static inline void troupe_pack_nil(troupe_packer_t* p) {
  troupe_pack_head(p, 0xc0, 0, 0);
}

static inline void troupe_pack_bool(troupe_packer_t* p, int32_t x) {
  troupe_pack_head(p, x ? 0xc3 : 0xc2, 0, 0);
}

static inline void troupe_pack_int(troupe_packer_t* p, int64_t x) {
  uint64_t bits = (uint64_t)x;
  if (x >= 0) {
    if (x <= 0x7f)
      troupe_pack_head(p, (uint8_t)x, 0, 0);
    else if (x <= 0xff)
      troupe_pack_head(p, 0xcc, bits, 1);
    else if (x <= 0xffff)
      troupe_pack_head(p, 0xcd, bits, 2);
    else if (x <= 0xffffffffll)
      troupe_pack_head(p, 0xce, bits, 4);
    else
      troupe_pack_head(p, 0xcf, bits, 8);
  } else if (x >= -32) {
    troupe_pack_head(p, (uint8_t)(bits & 0xff), 0, 0);
  } else if (x >= -0x80) {
    troupe_pack_head(p, 0xd0, bits, 1);
  } else if (x >= -0x8000) {
    troupe_pack_head(p, 0xd1, bits, 2);
  } else if (x >= -0x80000000ll) {
    troupe_pack_head(p, 0xd2, bits, 4);
  } else {
    troupe_pack_head(p, 0xd3, bits, 8);
  }
}

static inline void troupe_pack_double(troupe_packer_t* p, double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  troupe_pack_head(p, 0xcb, bits, 8);
}

static inline void troupe_pack_text(troupe_packer_t* p, troupe_text_t t) {
  if (t.size <= 31)
    troupe_pack_head(p, (uint8_t)(0xa0 | t.size), 0, 0);
  else if (t.size <= 0xff)
    troupe_pack_head(p, 0xd9, t.size, 1);
  else if (t.size <= 0xffff)
    troupe_pack_head(p, 0xda, t.size, 2);
  else
    troupe_pack_head(p, 0xdb, t.size, 4);
  troupe_pack_raw(p, t.data, t.size);
}

static inline void troupe_pack_string(troupe_packer_t* p, const char* terminated) {
  troupe_pack_text(p, troupe_text(terminated));
}

static inline void troupe_pack_binary(troupe_packer_t* p, troupe_bytes_t b) {
  if (b.size <= 0xff)
    troupe_pack_head(p, 0xc4, b.size, 1);
  else if (b.size <= 0xffff)
    troupe_pack_head(p, 0xc5, b.size, 2);
  else
    troupe_pack_head(p, 0xc6, b.size, 4);
  troupe_pack_raw(p, b.data, b.size);
}

static inline void troupe_pack_address(troupe_packer_t* p, const troupe_address_t* a) {
  uint8_t head[3] = {0xc7, sizeof a->wire, 1};
  troupe_pack_raw(p, head, sizeof head);
  troupe_pack_raw(p, a->wire, sizeof a->wire);
}

/// `count` values follow.
static inline void troupe_pack_list(troupe_packer_t* p, uint32_t count) {
  if (count <= 15)
    troupe_pack_head(p, (uint8_t)(0x90 | count), 0, 0);
  else if (count <= 0xffff)
    troupe_pack_head(p, 0xdc, count, 2);
  else
    troupe_pack_head(p, 0xdd, count, 4);
}

/// `count` pairs of key and value follow, the keys each once and best in sorted order.
static inline void troupe_pack_map(troupe_packer_t* p, uint32_t count) {
  if (count <= 15)
    troupe_pack_head(p, (uint8_t)(0x80 | count), 0, 0);
  else if (count <= 0xffff)
    troupe_pack_head(p, 0xde, count, 2);
  else
    troupe_pack_head(p, 0xdf, count, 4);
}

// -- reading --------------------------------------------------------------------------------------

#define TROUPE_TYPE_NIL 0u
#define TROUPE_TYPE_BOOL 1u     ///< integer: 0 or 1
#define TROUPE_TYPE_INT 2u      ///< integer; an unsigned one above the largest int64 is a DOUBLE
#define TROUPE_TYPE_DOUBLE 3u   ///< number
#define TROUPE_TYPE_TEXT 4u     ///< text
#define TROUPE_TYPE_BINARY 5u   ///< text: the bytes
#define TROUPE_TYPE_LIST 6u     ///< count: values that follow
#define TROUPE_TYPE_MAP 7u      ///< count: pairs that follow
#define TROUPE_TYPE_ADDRESS 8u  ///< text: the 32 bytes

/// One value, or the head of a list or map.
typedef struct troupe_item {
  uint32_t type;
  uint32_t count;
  int64_t integer;
  double number;
  troupe_text_t text;
} troupe_item_t;

typedef struct troupe_unpacker {
  const uint8_t* at;
  uint64_t left;
} troupe_unpacker_t;

static inline troupe_unpacker_t troupe_unpacker(troupe_bytes_t body) {
  troupe_unpacker_t u;
  u.at = (const uint8_t*)body.data;
  u.left = body.size;
  return u;
}

/// A number of `width` bytes; 0 if the data end before.
static inline int32_t troupe_unpack_number(troupe_unpacker_t* u, int width, uint64_t* number) {
  int i;
  *number = 0;
  if (u->left < (uint64_t)width) return 0;
  for (i = 0; i < width; ++i)
    *number = *number << 8 | u->at[i];
  u->at += width;
  u->left -= (uint64_t)width;
  return 1;
}

static inline int32_t troupe_unpack_text(troupe_unpacker_t* u, uint32_t type, uint64_t size,
                                         troupe_item_t* item) {
  if (u->left < size) return 0;
  item->type = type;
  item->text.data = (const char*)u->at;
  item->text.size = size;
  u->at += size;
  u->left -= size;
  return 1;
}

static inline int32_t troupe_unpack_count(troupe_unpacker_t* u, uint32_t type, uint64_t count,
                                          troupe_item_t* item) {
  // Each element takes a byte at least.
  if (count > u->left) return 0;
  item->type = type;
  item->count = (uint32_t)count;
  return 1;
}

/// Reads the next value, or the head of a list or map. 0 at the end of the data, where they are cut
/// short, or at a byte that no body holds; `u` is of no use then.
static inline int32_t troupe_unpack(troupe_unpacker_t* u, troupe_item_t* item) {
  uint64_t n;
  uint8_t type;
  memset(item, 0, sizeof *item);
  if (u->left == 0) return 0;
  type = *u->at++;
  --u->left;
  if (type <= 0x7f || type >= 0xe0) {
    item->type = TROUPE_TYPE_INT;
    item->integer = type <= 0x7f ? type : (int64_t)type - 0x100;
    return 1;
  }
  if (type <= 0x8f) return troupe_unpack_count(u, TROUPE_TYPE_MAP, type & 0x0fu, item);
  if (type <= 0x9f) return troupe_unpack_count(u, TROUPE_TYPE_LIST, type & 0x0fu, item);
  if (type <= 0xbf) return troupe_unpack_text(u, TROUPE_TYPE_TEXT, type & 0x1fu, item);
  switch (type) {
    case 0xc0:
      return 1;
    case 0xc2:
    case 0xc3:
      item->type = TROUPE_TYPE_BOOL;
      item->integer = type == 0xc3;
      return 1;
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return troupe_unpack_number(u, 1 << (type - 0xc4), &n) &&
             troupe_unpack_text(u, TROUPE_TYPE_BINARY, n, item);
    case 0xc7:
      if (!troupe_unpack_number(u, 2, &n) || n != (32u << 8 | 1)) return 0;
      return troupe_unpack_text(u, TROUPE_TYPE_ADDRESS, 32, item);
    case 0xca: {
      uint32_t bits;
      float x;
      if (!troupe_unpack_number(u, 4, &n)) return 0;
      bits = (uint32_t)n;
      memcpy(&x, &bits, sizeof x);
      item->type = TROUPE_TYPE_DOUBLE;
      item->number = (double)x;
      return 1;
    }
    case 0xcb:
      if (!troupe_unpack_number(u, 8, &n)) return 0;
      item->type = TROUPE_TYPE_DOUBLE;
      memcpy(&item->number, &n, sizeof n);
      return 1;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      if (!troupe_unpack_number(u, 1 << (type - 0xcc), &n)) return 0;
      if (n > (uint64_t)INT64_MAX) {
        item->type = TROUPE_TYPE_DOUBLE;
        item->number = (double)n;
      } else {
        item->type = TROUPE_TYPE_INT;
        item->integer = (int64_t)n;
      }
      return 1;
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: {
      int width = 1 << (type - 0xd0);
      if (!troupe_unpack_number(u, width, &n)) return 0;
      // Spreads the sign over the bytes that were not there.
      if (width < 8 && (n >> (8 * width - 1)) != 0) n |= ~(uint64_t)0 << (8 * width);
      item->type = TROUPE_TYPE_INT;
      memcpy(&item->integer, &n, sizeof n);
      return 1;
    }
    case 0xd9:
    case 0xda:
    case 0xdb:
      return troupe_unpack_number(u, 1 << (type - 0xd9), &n) &&
             troupe_unpack_text(u, TROUPE_TYPE_TEXT, n, item);
    case 0xdc:
    case 0xdd:
      return troupe_unpack_number(u, 2 << (type - 0xdc), &n) &&
             troupe_unpack_count(u, TROUPE_TYPE_LIST, n, item);
    case 0xde:
    case 0xdf:
      return troupe_unpack_number(u, 2 << (type - 0xde), &n) &&
             troupe_unpack_count(u, TROUPE_TYPE_MAP, n, item);
    default:
      return 0;
  }
}

/// Steps over one whole value. 0 as troupe_unpack.
static inline int32_t troupe_skip(troupe_unpacker_t* u) {
  uint64_t open = 1;
  while (open > 0) {
    troupe_item_t item;
    if (!troupe_unpack(u, &item)) return 0;
    --open;
    if (item.type == TROUPE_TYPE_LIST) open += item.count;
    if (item.type == TROUPE_TYPE_MAP) open += (uint64_t)item.count * 2;
    if (open > u->left) return 0;
  }
  return 1;
}

/// The bytes of one whole value, stepping over it; empty as where troupe_unpack gives 0.
static inline troupe_bytes_t troupe_unpack_value(troupe_unpacker_t* u) {
  const uint8_t* start = u->at;
  uint64_t before = u->left;
  if (!troupe_skip(u)) return troupe_bytes(NULL, 0);
  return troupe_bytes(start, (size_t)(before - u->left));
}

/// Element `index` (from 0) of a packed list; empty if `list` is none or too short.
static inline troupe_bytes_t troupe_element(troupe_bytes_t list, uint32_t index) {
  troupe_unpacker_t u = troupe_unpacker(list);
  troupe_item_t head;
  if (!troupe_unpack(&u, &head) || head.type != TROUPE_TYPE_LIST || index >= head.count)
    return troupe_bytes(NULL, 0);
  while (index-- > 0)
    if (!troupe_skip(&u)) return troupe_bytes(NULL, 0);
  return troupe_unpack_value(&u);
}

/// Member `key` of a packed map; empty if `map` is none or has no such member.
static inline troupe_bytes_t troupe_member(troupe_bytes_t map, const char* key) {
  troupe_unpacker_t u = troupe_unpacker(map);
  troupe_item_t head, name;
  uint32_t i;
  if (!troupe_unpack(&u, &head) || head.type != TROUPE_TYPE_MAP) return troupe_bytes(NULL, 0);
  for (i = 0; i < head.count; ++i) {
    // Keys are scalars in every body, so their head is all of them.
    if (!troupe_unpack(&u, &name)) break;
    if (name.type == TROUPE_TYPE_TEXT && troupe_text_is(name.text, key))
      return troupe_unpack_value(&u);
    if (!troupe_skip(&u)) break;
  }
  return troupe_bytes(NULL, 0);
}

/// What a packed value holds; `fallback` if it is of another type, or empty.
static inline troupe_text_t troupe_as_text(troupe_bytes_t value, troupe_text_t fallback) {
  troupe_unpacker_t u = troupe_unpacker(value);
  troupe_item_t item;
  return troupe_unpack(&u, &item) && item.type == TROUPE_TYPE_TEXT ? item.text : fallback;
}

static inline int64_t troupe_as_int(troupe_bytes_t value, int64_t fallback) {
  troupe_unpacker_t u = troupe_unpacker(value);
  troupe_item_t item;
  return troupe_unpack(&u, &item) && item.type == TROUPE_TYPE_INT ? item.integer : fallback;
}

/// An integer counts as well.
static inline double troupe_as_double(troupe_bytes_t value, double fallback) {
  troupe_unpacker_t u = troupe_unpacker(value);
  troupe_item_t item;
  if (!troupe_unpack(&u, &item)) return fallback;
  if (item.type == TROUPE_TYPE_INT) return (double)item.integer;
  return item.type == TROUPE_TYPE_DOUBLE ? item.number : fallback;
}

static inline int32_t troupe_as_bool(troupe_bytes_t value, int32_t fallback) {
  troupe_unpacker_t u = troupe_unpacker(value);
  troupe_item_t item;
  return troupe_unpack(&u, &item) && item.type == TROUPE_TYPE_BOOL ? (int32_t)item.integer
                                                                   : fallback;
}

#ifdef __cplusplus
}
#endif
