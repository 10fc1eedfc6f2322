import { z } from "zod";
import { nameSetting, textSetting } from "./scalars.ts";

const argument = textSetting.refine((text) => !text.includes("\0"), "a path or an argument is expected");

export const hookSettings = z
  .strictObject({
    command: z.array(argument).min(1).max(100).meta({
      description:
        "The program's path, then its arguments; the input folder and the output folder follow. No shell is asked.",
    }),
    timeoutSeconds: z
      .number()
      .positive()
      .max(86_400)
      .default(3_600)
      .meta({ description: "Time for one study; then the program is ended and the study quarantined." }),
    outputs: z
      .enum(["instances", "files", "both"])
      .default("both")
      .meta({ description: "What it may make: instances in the place of those it got, files beside them, or both." }),
    filesTo: z
      .array(nameSetting)
      .min(1)
      .max(100)
      .optional()
      .meta({ description: "Destinations that get its files. Left out: all of the project's." }),
    maximumOutputMegabytes: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(4_096)
      .meta({ description: "More than this is not taken, and ends the program." }),
    maximumOutputFiles: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(10_000)
      .meta({ description: "More files and folders than this are not taken, and end the program." }),
    maximumMemoryMegabytes: z
      .int()
      .min(64)
      .max(10_000_000)
      .optional()
      .meta({ description: "Address space of each of its processes, where the system can limit it." }),
    maximumCpuSeconds: z
      .int()
      .min(1)
      .max(1_000_000)
      .optional()
      .meta({ description: "Processor time of each of its processes." }),
    network: z
      .enum(["none", "allowed"])
      .default("none")
      .meta({ description: "none: it has no network, and is not run where that cannot be enforced." }),
    parallel: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .meta({ description: "Studies of the project that it works on at once." }),
  })
  .meta({ description: "A program that is run on every study, between verification and delivery." });
