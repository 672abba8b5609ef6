/** A process of the service that is up; several of them share one Node process in the embedded site. */
export interface RunningProcess {
  /** Where it listens, if it does: `http://host:port` or `ws://host:port`. */
  readonly url?: string;
  /** Finishes or hands back what is in flight, within a bound, and frees everything it holds. */
  close(): Promise<void>;
}
