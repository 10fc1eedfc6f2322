import { describe, expect, it } from "vitest";
import { editing, processed, quarantined, useFolder } from "./hook-scene.testing.ts";

useFolder();

describe("what a hook leaves in its output", () => {
  it.each([
    ["a link to a file elsewhere", 'mkdir "$2/files"; ln -s "$0" "$2/files/report.txt"', "not-a-plain-file"],
    [
      "a second name of a file",
      'mkdir "$2/files"; echo x > "$2/files/a"; ln "$2/files/a" "$2/files/b"',
      "not-a-plain-file",
    ],
    ["a link in the place of a folder", 'ln -s /etc "$2/files"', "not-a-plain-file"],
    ["a pipe", 'mkdir "$2/files"; mkfifo "$2/files/pipe"', "not-a-plain-file"],
    [
      "a socket",
      `mkdir "$2/files"; cd "$2/files"; "${process.execPath}" -e 'require("net").createServer().listen("s", () => process.exit())'`,
      "not-a-plain-file",
    ],
    ["a name with a blank", 'mkdir "$2/files"; echo x > "$2/files/a b"', "path-characters"],
    ["a name with a line feed", 'mkdir "$2/files"; echo x > "$2/files/$(printf "a\\nb")"', "path-characters"],
    ["a hidden name", 'mkdir "$2/files"; echo x > "$2/files/.bashrc"', "path-characters"],
    [
      "names that differ by case alone",
      'mkdir "$2/files"; echo x > "$2/files/a"; echo x > "$2/files/A"',
      "path-collides",
    ],
    ["a file beside the two folders", 'echo x > "$2/report.txt"', "place"],
    ["no DICOM among the instances", 'mkdir "$2/instances"; echo x > "$2/instances/a.dcm"', "instance-unreadable"],
    [
      "DICOM among the files",
      'mkdir "$2/files"; cp "$(find "$1" -name "*.dcm" | head -n 1)" "$2/files/a"',
      "dicom-among-files",
    ],
    [
      "one instance twice",
      'mkdir "$2/instances"; f=$(find "$1" -name "*.dcm" | head -n 1); cp "$f" "$2/instances/a"; cp "$f" "$2/instances/b"',
      "instance-twice",
    ],
  ])("is refused when it is %s", async (_, script, reason) => {
    const outcome = await processed({ script });
    expect(outcome).toMatchObject({ ...quarantined("HOOK_OUTPUT_REFUSED"), detail: { reason } });
  });

  it.each([
    [
      "the patient's id in a report",
      'echo "quality of MRN4455667: good" > "$2/files/report.txt"',
      "identifier: id in content",
    ],
    ["the patient's name in a file's name", 'echo x > "$2/files/brandybuck.txt"', "identifier: name in name"],
    [
      "the name within binary data",
      'printf "\\000\\001Brandybuck\\000" > "$2/files/volume.nii"',
      "identifier: name in content",
    ],
  ])("is searched, and refused for %s", async (_, script, reason) => {
    const outcome = await processed({ script: `mkdir "$2/files"; ${script}` });
    expect(outcome).toMatchObject({ ...quarantined("HOOK_OUTPUT_REFUSED"), detail: { reason } });
  });

  it.each([
    ["the name among the pixels", 'bytes.write("BRANDYBUCK", bytes.length - 20)', "identifier: name in (7FE0,0010)"],
    [
      "another patient id",
      'bytes.write("X", bytes.indexOf("LO", bytes.indexOf(Buffer.from([16, 0, 32, 0]))) + 4)',
      "element-changed (0010,0020)",
    ],
    ["bytes behind its end", "bytes = Buffer.concat([bytes, Buffer.alloc(4)])", "length-beyond-parent"],
  ])("is refused as an image with %s", async (_, edit, reason) => {
    const outcome = await processed({ script: editing(edit) });
    expect(outcome).toMatchObject({ ...quarantined("HOOK_OUTPUT_REFUSED"), detail: { reason } });
  });

  it.each([
    ["files", editing(""), "instances-not-expected"],
    ["instances", 'mkdir "$2/files"; echo x > "$2/files/x"', "files-not-expected"],
  ] as const)("is refused where only %s are asked for", async (outputs, script, reason) => {
    const outcome = await processed({ script, settings: { outputs } });
    expect(outcome).toMatchObject({ ...quarantined("HOOK_OUTPUT_REFUSED"), detail: { reason } });
  });
});
