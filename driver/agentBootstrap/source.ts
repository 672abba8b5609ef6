/** A place where a server finds what Nova tells it. */
export interface Source {
  /** As logs name it. */
  readonly name: string;
  /** Content of files below `openstack/latest`, undefined for one that is not there. @throws Error that says what is missing */
  read(files: readonly string[]): Promise<(string | undefined)[]>;
}
