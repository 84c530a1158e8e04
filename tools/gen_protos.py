"""Writes the messages of the Python clients as proto2 files and as C, from the descriptors inside their packages.

    gen_protos.py PACKAGES OUT    ->  OUT/proto/**/*.proto, OUT/c/**/*.pb-c.{c,h}, OUT/c/sources.txt
"""
import ast
import pathlib
import subprocess
import sys

from google.protobuf import any_pb2, descriptor_pb2, timestamp_pb2

F = descriptor_pb2.FieldDescriptorProto
SCALARS = {
    F.TYPE_DOUBLE: "double", F.TYPE_FLOAT: "float", F.TYPE_INT64: "int64", F.TYPE_UINT64: "uint64",
    F.TYPE_INT32: "int32", F.TYPE_FIXED64: "fixed64", F.TYPE_FIXED32: "fixed32", F.TYPE_BOOL: "bool",
    F.TYPE_STRING: "string", F.TYPE_BYTES: "bytes", F.TYPE_UINT32: "uint32", F.TYPE_SFIXED32: "sfixed32",
    F.TYPE_SFIXED64: "sfixed64", F.TYPE_SINT32: "sint32", F.TYPE_SINT64: "sint64",
}
SKIP = {"spark/connect/example_plugins.proto"}


def descriptors(root):
    """The FileDescriptorProto of every *_pb2.py below root: the bytes literal its module registers."""
    for path in sorted(root.rglob("*_pb2.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile"
                    and isinstance(node.args[0], ast.Constant)):
                yield descriptor_pb2.FileDescriptorProto.FromString(node.args[0].value)


def field_text(field, proto3, in_oneof):
    if field.type in (F.TYPE_MESSAGE, F.TYPE_ENUM):
        type_name = field.type_name
    else:
        type_name = SCALARS[field.type]
    label, options = "", ""
    if field.label == F.LABEL_REPEATED:
        label = "repeated "
        packable = field.type not in (F.TYPE_MESSAGE, F.TYPE_STRING, F.TYPE_BYTES)
        if packable and (field.options.packed if field.options.HasField("packed") else proto3):
            options = " [packed = true]"
    elif not in_oneof:
        label = "required " if field.label == F.LABEL_REQUIRED else "optional "
    return f"{label}{type_name} {field.name} = {field.number}{options};"


def enum_lines(enum, indent):
    pad = "  " * indent
    yield f"{pad}enum {enum.name} {{"
    if enum.options.allow_alias:
        yield f"{pad}  option allow_alias = true;"
    for value in enum.value:
        yield f"{pad}  {value.name} = {value.number};"
    yield f"{pad}}}"


def message_lines(message, proto3, indent):
    pad = "  " * indent
    yield f"{pad}message {message.name} {{"
    for enum in message.enum_type:
        yield from enum_lines(enum, indent + 1)
    for nested in message.nested_type:
        yield from message_lines(nested, proto3, indent + 1)
    # A proto3 "optional" is carried as a one-member oneof; in proto2 it is just optional.
    oneofs = {}
    for field in message.field:
        if field.HasField("oneof_index") and not field.proto3_optional:
            oneofs.setdefault(field.oneof_index, []).append(field)
        else:
            yield f"{pad}  {field_text(field, proto3, False)}"
    for index, fields in oneofs.items():
        yield f"{pad}  oneof {message.oneof_decl[index].name} {{"
        for field in fields:
            yield f"{pad}    {field_text(field, proto3, True)}"
        yield f"{pad}  }}"
    yield f"{pad}}}"


def proto_text(file):
    proto3 = file.syntax == "proto3"
    lines = [f"// {file.name}, from the descriptor in the client's package, as proto2.", 'syntax = "proto2";']
    if file.package:
        lines.append(f"package {file.package};")
    lines += [f'import "{name}";' for name in file.dependency if name != "google/protobuf/descriptor.proto"]
    for enum in file.enum_type:
        lines += enum_lines(enum, 0)
    for message in file.message_type:
        lines += message_lines(message, proto3, 0)
    return "\n".join(lines) + "\n"


def main(packages, out):
    files = {}
    for module in (any_pb2, timestamp_pb2):
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        files[file.name] = file
    from google.protobuf import duration_pb2
    file = descriptor_pb2.FileDescriptorProto()
    duration_pb2.DESCRIPTOR.CopyToProto(file)
    files[file.name] = file
    keep_rpc = {"google/rpc/status.proto", "google/rpc/error_details.proto"}
    for file in descriptors(packages):
        if file.name in SKIP or (file.name.startswith("google/") and file.name not in keep_rpc):
            continue
        files[file.name] = file
    protos, code = out / "proto", out / "c"
    code.mkdir(parents=True)
    for name, file in files.items():
        path = protos / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(proto_text(file))
    for name in files:
        subprocess.run(["protoc-c", f"-I{protos}", f"--c_out={code}", name], check=True)
    sources = sorted(str(p.relative_to(code)) for p in code.rglob("*.pb-c.c"))
    (code / "sources.txt").write_text("\n".join(sources) + "\n")
    print(f"  {len(files)} message files")


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
