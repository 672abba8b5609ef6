import type { Logger } from 'pino';
import type { Db } from '../db/connect';
import { answerQuestion, beginQuestion, listQuestions } from '../db/inspections';
import type { Inspection } from '../protocol/inspection';
import type { EngineLink } from './connections';

/** Questions of those who look into trouble, between the rows and the engines of this health-manager. */
export interface InspectionDesk {
  /** Asks engines what rows ask of them. */
  look(): Promise<void>;
  /** Writes what an engine answers. */
  take(link: EngineLink, inspection: Inspection): Promise<void>;
}

export interface InspectionDeskDeps {
  readonly db: Db;
  readonly log: Logger;
  /** Of this health-manager. */
  readonly id: string;
  readonly linkTo: (engineId: string) => EngineLink | undefined;
}

/** Characters of an answer: the lists in it are bounded, and this is more than all of them. */
const LONGEST = 4 * 1024 * 1024;

export function createInspectionDesk({ db, log, id, linkTo }: InspectionDeskDeps): InspectionDesk {
  const write = async (engineId: string, inspection: Inspection): Promise<void> => {
    const text = JSON.stringify(inspection);
    const problem = 'what the engine answers is too long';
    const answer = text.length <= LONGEST ? text : JSON.stringify({ ...inspection, problem, facts: null });
    await answerQuestion(db, inspection.inspectionId, { engineId, answer });
  };
  return {
    async look() {
      for (const question of await listQuestions(db, id)) {
        const link = linkTo(question.service_engine_id);
        if (!link || !(await beginQuestion(db, question.id))) continue;
        if (link.inspects) {
          link.send({ type: 'inspect', inspectionId: question.id, loadBalancerId: question.load_balancer_id });
          continue;
        }
        const problem = 'the agent of the engine is too old to tell how it serves';
        await write(link.engineId, { type: 'inspection', inspectionId: question.id, problem, facts: null });
      }
    },
    take: (link, inspection) =>
      write(link.engineId, inspection).catch((err: unknown) =>
        log.warn({ err, engine: link.engineId }, 'what an engine answered is lost'),
      ),
  };
}
