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
    findImage: async (filter) => newest([...images.values()].filter((image) => matches(image, filter))),
    async uploadImage({ name, file, tags }) {
      const size = await sizeOf(file);
      if (maxSize !== undefined && size > maxSize) throw new PassedThroughError(413, 'The image is too large.');
      const image = { id: newId(), name, status: 'active', tags, ownerId: projectId, size, createdAt: now() };
      images.set(image.id, image);
      return image;
    },
    deleteImage: async (id) => void images.delete(id),
  };
}

function matches({ status, tags, ownerId }: Image, filter: ImageFilter): boolean {
  return (
    status === 'active' && tags.includes(filter.tag) && (filter.ownerId === undefined || ownerId === filter.ownerId)
  );
}

function newest(images: readonly Image[]): Image | undefined {
  return images.toSorted((one, other) => other.createdAt.getTime() - one.createdAt.getTime())[0];
}

async function sizeOf(file: string): Promise<number> {
  let size = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) size += chunk.length;
  return size;
}
