"""The canonical text of a row, and the order-independent checksum of a table made from it.

A row's text is the text of its columns in schema order, each followed by "|". A value's text is
  null N; boolean T or F; integer i<decimal>; float and double r<16 hex digits of the IEEE double>, every NaN
  7ff8000000000000 and -0.0 as 0.0; decimal m<unscaled>e<scale>; string s<bytes>:<utf8>; binary x<hex>;
  date d<days>; timestamp t<microseconds>; timestamp without zone u<microseconds>; array [a,b]; map {k:v,...} in the
  order of the entries' texts; struct (name=value,...).
The checksum is the sum, mod 2^128, of the first 16 bytes of every row text's SHA-256, as 32 hex digits.
"""
import hashlib
import struct

import pyarrow as pa
import pyarrow.types as kind


def table_checksum(table):
    total = 0
    for batch in table.to_batches():
        columns = [texts(column) for column in batch.columns]
        for row in zip(*columns) if columns else ():
            digest = hashlib.sha256("".join(f"{text}|" for text in row).encode("utf-8", "surrogatepass")).digest()
            total += int.from_bytes(digest[:16], "big")
        if not columns:
            total += batch.num_rows * int.from_bytes(hashlib.sha256(b"").digest()[:16], "big")
    return f"{total % (1 << 128):032x}"


def texts(array):
    """The canonical text of every element of an Arrow array."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if kind.is_dictionary(array.type):
        array = array.dictionary_decode()
    valid = array.is_valid().to_pylist()
    present = nested(array)
    if present is None:
        present = scalar(array)
    return [text if ok else "N" for ok, text in zip(valid, present)]


def nested(array):
    """Texts of a list, map or struct array; None for anything else."""
    if kind.is_map(array.type):
        entries = [f"{key}:{item}" for key, item in zip(texts(array.keys), texts(array.items))]
        return ["{" + ",".join(sorted(entries[start:end])) + "}" for start, end in spans(array)]
    if kind.is_list(array.type) or kind.is_large_list(array.type):
        items = texts(array.values)
        return ["[" + ",".join(items[start:end]) + "]" for start, end in spans(array)]
    if kind.is_struct(array.type):
        names = [field.name for field in array.type]
        fields = [texts(array.field(index)) for index in range(len(names))]
        return ["(" + ",".join(f"{name}={field[row]}" for name, field in zip(names, fields)) + ")" for row in range(len(array))]
    return None


def spans(array):
    offsets = array.offsets.to_pylist()
    return zip(offsets, offsets[1:])


def scalar(array):
    """Texts of a flat array; what stands in a null's place does not matter."""
    to_text, array = scalar_text(array)
    return [None if value is None else to_text(value) for value in array.to_pylist()]


def scalar_text(array):
    """(function from Python value to text, array whose to_pylist gives such values)."""
    data_type = array.type
    if kind.is_null(data_type):
        return str, array
    if kind.is_boolean(data_type):
        return (lambda value: "T" if value else "F"), array
    if kind.is_integer(data_type):
        return (lambda value: f"i{value}"), array
    if kind.is_floating(data_type):
        return double_text, array
    if kind.is_decimal(data_type):
        return (lambda value: f"m{unscaled(value)}e{data_type.scale}"), array
    if kind.is_date(data_type):
        return (lambda value: f"d{value}"), array.cast(pa.date32()).cast(pa.int32())
    if kind.is_timestamp(data_type):
        mark = "t" if data_type.tz else "u"
        micros = array.cast(pa.timestamp("us", data_type.tz), safe=False).cast(pa.int64())
        return (lambda value: f"{mark}{value}"), micros
    if kind.is_string(data_type) or kind.is_large_string(data_type) or kind.is_string_view(data_type):
        return (lambda value: f"s{len(value.encode('utf-8', 'surrogatepass'))}:{value}"), array
    if any(is_kind(data_type) for is_kind in (kind.is_binary, kind.is_large_binary, kind.is_fixed_size_binary, kind.is_binary_view)):
        return (lambda value: "x" + value.hex()), array
    raise TypeError(f"no canonical text for {data_type}")


def unscaled(value):
    """The digits of a Decimal as an integer; arithmetic would round at 28 of them."""
    sign, digits, _ = value.as_tuple()
    return (-1 if sign else 1) * int("".join(map(str, digits)))


def double_text(value):
    if value != value:
        return "r7ff8000000000000"
    return "r" + struct.pack(">d", value + 0.0).hex()
