import { z } from 'zod';
import { PassedThroughError } from '../../../domain/errors';
import { type Answer, unavailable } from '../../openstack/service';
import type { Image } from '../port';

/** What Glance refuses. It tells by HTML, so that the status is most of it. */
export class GlanceError extends PassedThroughError {}

const REASONS: Readonly<Record<number, string>> = {
  403: 'this service may not do that',
  404: 'there is no such image',
  409: 'the image is in a state that does not allow it',
  413: 'the image is larger than the quota or the limit for images',
};

/** The answer, unless it is a refusal. @throws GlanceError */
export function accepted(answer: Answer, what: string): Answer {
  const { status } = answer;
  if (status < 400) return answer;
  const reason = REASONS[status] ?? 'it refuses';
  throw new GlanceError(status, `Glance answered ${status} to ${what}: ${reason}.`);
}

/** The body of an answer, read. @throws UnavailableError when it is something else */
export function readIn<T>(body: unknown, schema: z.ZodType<T>): T {
  const read = schema.safeParse(body);
  if (!read.success) throw unavailable('Glance', read.error);
  return read.data;
}

export const ImageView = z.object({
  id: z.string(),
  name: z.string().nullish(),
  status: z.string(),
  tags: z.array(z.string()).nullish(),
  owner: z.string().nullish(),
  size: z.number().nullish(),
  created_at: z.string(),
  os_hash_algo: z.string().nullish(),
  os_hash_value: z.string().nullish(),
  visibility: z.string().nullish(),
});
export const ImagesView = z.object({ images: z.array(ImageView) });

/** What Glance hashes content with unless it is told otherwise. */
export const HASH = 'sha512';

export function toImage(body: z.infer<typeof ImageView>): Image {
  return {
    id: body.id,
    name: body.name ?? '',
    status: body.status,
    tags: body.tags ?? [],
    ownerId: body.owner ?? '',
    size: body.size ?? null,
    createdAt: new Date(body.created_at),
    visibility: body.visibility ?? '',
    sha512: body.os_hash_algo === HASH ? (body.os_hash_value ?? null) : null,
  };
}
