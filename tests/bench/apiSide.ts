/** One of the two services of a comparison. */
export interface ApiSide {
  readonly name: string;
  readonly url: string;
  /** URL of its database. */
  readonly connection: string;
  /** The processes that answer, less the database. */
  pids(): number[];
  stop(): Promise<void>;
}

/** Whether a URL answers with 200. */
export async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(url);
  await answer.arrayBuffer();
  return answer.status === 200;
}
