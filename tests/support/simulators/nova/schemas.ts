import { z } from 'zod';

/** Nova's own strictness: an unknown key, a long tag or a long value of metadata is a 400. */
export const CreateServer = z.strictObject({
  server: z.strictObject({
    name: z.string().min(1).max(255),
    flavorRef: z.string(),
    imageRef: z.string(),
    min_count: z.literal(1).optional(),
    max_count: z.literal(1).optional(),
    tags: z
      .array(
        z
          .string()
          .min(1)
          .max(60)
          .regex(/^[^,/]*$/),
      )
      .max(50)
      .default([]),
    metadata: z.record(z.string().regex(/^[\w.: -]{1,255}$/), z.string().max(255)).default({}),
    config_drive: z.boolean().default(false),
    networks: z.array(z.union([z.strictObject({ port: z.string() }), z.strictObject({ uuid: z.string() })])).min(1),
    security_groups: z.array(z.strictObject({ name: z.string() })).default([]),
    key_name: z.string().optional(),
    availability_zone: z.string().optional(),
  }),
  'os:scheduler_hints': z.strictObject({ group: z.string() }).optional(),
});
export const CreateServerGroup = z.strictObject({
  server_group: z.strictObject({ name: z.string().min(1).max(255), policy: z.string() }),
});
export const Act = z.strictObject({ reboot: z.strictObject({ type: z.enum(['SOFT', 'HARD']) }) });
export const CreateInterface = z.strictObject({ interfaceAttachment: z.strictObject({ port_id: z.string() }) });
