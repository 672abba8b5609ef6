import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { z } from 'zod';
import type { Call, OpenstackService } from '../openstack/service';
import { accepted, GlanceError, HASH, ImagesView, ImageView, readIn, toImage } from './http/answers';
import type { Image, ImageDriver, ImageFilter, ImageUpload } from './port';

/** Milliseconds an upload may take: 2 GB at 600 KB/s. */
const UPLOAD_TIMEOUT = 3_600_000;
/** Images of one page. */
const PAGE = 100;

/** Images of Glance, by its API v2. Its address bears no version. What Glance refuses is a GlanceError with its status. */
export function createGlanceDriver(service: OpenstackService): ImageDriver {
  const deleteImage = async (id: string): Promise<void> => {
    const answer = await service.call({ method: 'DELETE', path: pathOf(id) });
    if (answer.status !== 404) accepted(answer, 'a deletion');
  };
  return {
    async findImage(filter) {
      const [newest] = await readPage(service, { ...queryOf(filter), status: 'active', limit: '1' });
      return newest;
    },
    listImages: (filter) => listImages(service, filter),
    async uploadImage(upload) {
      // Before anything is made: there may be no such file.
      const { size } = await stat(upload.file);
      const { id } = await read(service, { method: 'POST', path: '/v2/images', body: describe(upload) }, ImageView);
      try {
        return await fill(service, id, { file: upload.file, size });
      } catch (error) {
        // Nothing of it can be used. That it cannot be deleted either is less of a trouble than why.
        await deleteImage(id).catch(() => undefined);
        throw error;
      }
    },
    deleteImage,
  };
}

function queryOf({ tag, ownerId }: ImageFilter): Record<string, string> {
  return { tag, sort: 'created_at:desc', ...(ownerId === undefined ? {} : { owner: ownerId }) };
}

async function listImages(service: OpenstackService, filter: ImageFilter): Promise<Image[]> {
  const images: Image[] = [];
  for (let marker = {}; ; marker = { marker: images.at(-1)?.id }) {
    const page = await readPage(service, { ...queryOf(filter), limit: String(PAGE), ...marker });
    images.push(...page);
    if (page.length < PAGE) return images;
  }
}

async function readPage(service: OpenstackService, query: Readonly<Record<string, string>>): Promise<Image[]> {
  const path = `/v2/images?${new URLSearchParams(query)}`;
  return (await read(service, { method: 'GET', path }, ImagesView)).images.map(toImage);
}

function describe({ name, diskFormat, tags, properties, visibility = 'private', ownerId }: ImageUpload): object {
  const owner = ownerId === undefined ? {} : { owner: ownerId };
  return { ...properties, ...owner, name, disk_format: diskFormat, container_format: 'bare', visibility, tags };
}

async function fill(service: OpenstackService, id: string, { file, size }: { file: string; size: number }) {
  const hash = createHash(HASH);
  accepted(
    await service.call({
      method: 'PUT',
      path: `${pathOf(id)}/file`,
      content: { length: size, read: () => readHashed(file, hash) },
      timeout: UPLOAD_TIMEOUT,
    }),
    'the content of an image',
  );
  const image = await read(service, { method: 'GET', path: pathOf(id) }, ImageView);
  const digest = hash.digest('hex');
  const isDifferent = image.os_hash_algo === HASH && image.os_hash_value != null && image.os_hash_value !== digest;
  if (image.status !== 'active' || isDifferent) {
    throw new GlanceError(409, `Glance has not got the content of image ${id} as it was sent (${image.status}).`);
  }
  return toImage(image);
}

async function* readHashed(file: string, hash: Hash): AsyncIterable<Buffer> {
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    yield chunk;
  }
}

async function read<T>(service: OpenstackService, call: Call, schema: z.ZodType<T>): Promise<T> {
  return readIn(accepted(await service.call(call), `${call.method} ${call.path.split('?')[0]}`).body, schema);
}

function pathOf(id: string): string {
  return `/v2/images/${encodeURIComponent(id).replaceAll('.', '%2E')}`;
}
