import { z } from "zod";
import { plainEmail, unsafeSegmentReason } from "../hygiene.ts";

const EMAIL = /^[^\s@<>()[\],;:"\\]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,}$/;
export const email = z
  .string()
  .refine((text) => EMAIL.test(text), {
    params: { type: "value_error", msg: "value is not a valid email address: The email address is not valid." },
  })
  .transform(plainEmail);

export const uuid = z.guid().transform((text) => text.toLowerCase());

export const pathSegment = z.string().check((context) => {
  const reason = unsafeSegmentReason(context.value);
  if (reason === undefined) return;
  const params = { type: "value_error", msg: `Value error, ${reason}` };
  context.issues.push({ code: "custom", input: context.value, params });
});
