/** What Slipstream needs of the image service. Twins: `memory.ts` and `http.ts` (Glance). */
export interface Image {
  readonly id: string;
  readonly name: string;
  /** "active" once it can be booted. */
  readonly status: string;
  readonly tags: readonly string[];
  /** The project it belongs to. */
  readonly ownerId: string;
  /** In bytes; null before it has content. */
  readonly size: number | null;
  readonly createdAt: Date;
  /** "private", "shared", "community" or "public". */
  readonly visibility: string;
  /** SHA-512 of its content, hex; null before it has content, or where the service hashes otherwise. */
  readonly sha512: string | null;
}

export interface ImageFilter {
  readonly tag: string;
  /** The project it must belong to: without one, whoever may share images could have engines boot his. */
  readonly ownerId?: string;
}

export const DISK_FORMATS = ['qcow2', 'raw'] as const;
export type DiskFormat = (typeof DISK_FORMATS)[number];

export const VISIBILITIES = ['private', 'shared', 'community', 'public'] as const;
export type Visibility = (typeof VISIBILITIES)[number];

export interface ImageUpload {
  readonly name: string;
  /** Path of a file of this host. */
  readonly file: string;
  readonly diskFormat: DiskFormat;
  readonly tags: readonly string[];
  /** Private by default. */
  readonly visibility?: Visibility;
  /** The project it is to belong to, instead of the one that uploads; for admins alone. */
  readonly ownerId?: string;
  /** Further properties, by which hosts know how to boot it. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface ImageDriver {
  /** Those of any status, the newest first. @throws as `findImage` */
  listImages(filter: ImageFilter): Promise<readonly Image[]>;
  /** The newest active one. @throws PassedThroughError when the service refuses, UnavailableError when it does not answer */
  findImage(filter: ImageFilter): Promise<Image | undefined>;
  /**
   * Makes an image of a file, read once and never held as a whole. Either it is there complete and active, or (but for a
   * service that is away) not at all. @throws what the file system says of the file; PassedThroughError; UnavailableError
   */
  uploadImage(upload: ImageUpload): Promise<Image>;
  /** An image that is not there counts as deleted. */
  deleteImage(id: string): Promise<void>;
}
