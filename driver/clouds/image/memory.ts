import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PassedThroughError } from '../../domain/errors';
import type { Image, ImageDriver, ImageFilter } from './port';

export interface MemoryImagesDeps {
  /** The project that uploads. */
  readonly projectId: string;
  readonly newId: () => string;
  readonly now: () => Date;
  /** Bytes of the largest image it takes; any number by default. */
  readonly maxSize?: number;
}

/** An image service in memory, which keeps what is told of images, not their content. */
export interface MemoryImages extends ImageDriver {
  /** An image of somebody else, or in another state. */
  add(image: Image): void;
}

export function createMemoryImages({ projectId, newId, now, maxSize }: MemoryImagesDeps): MemoryImages {
  const images = new Map<string, Image>();
  return {
    add: (image) => void images.set(image.id, image),
    listImages: async (filter) => listed(images, filter),
    findImage: async (filter) => listed(images, filter).find(({ status }) => status === 'active'),
    async uploadImage({ name, file, tags, visibility = 'private', ownerId = projectId }) {
      const { size, sha512 } = await read(file);
      if (maxSize !== undefined && size > maxSize) throw new PassedThroughError(413, 'The image is too large.');
      const made = { id: newId(), status: 'active', createdAt: now() };
      const image: Image = { ...made, name, tags, visibility, ownerId, size, sha512 };
      images.set(image.id, image);
      return image;
    },
    deleteImage: async (id) => void images.delete(id),
  };
}

function listed(images: ReadonlyMap<string, Image>, { tag, ownerId }: ImageFilter): Image[] {
  return [...images.values()]
    .filter((image) => image.tags.includes(tag) && (ownerId === undefined || image.ownerId === ownerId))
    .sort((one, other) => other.createdAt.getTime() - one.createdAt.getTime());
}

async function read(file: string): Promise<{ size: number; sha512: string }> {
  let size = 0;
  const hash = createHash('sha512');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    size += chunk.length;
    hash.update(chunk);
  }
  return { size, sha512: hash.digest('hex') };
}
