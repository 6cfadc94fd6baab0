import type { Config } from '../../config/config.js';
import type { Emit } from '../../observe/events.js';
import type { Answer } from '../../rpc/answer.js';
import type { Question } from '../../rpc/question.js';
import { Code } from '../../rpc/status.js';
import type { Entry } from '../entry.js';
import type { ResponseDecoder } from '../guard.js';
import { type Asker, askerOf, placeOf, sharedParts } from './asker.js';
import { readList, type SeenList } from './claim.js';
import type { Block } from './go-address.js';
import { newestOnly } from './newest.js';
import { createObservations, type Observations } from './observations.js';
import { createPlaces } from './places.js';
import { createSiblings } from './siblings.js';

/** Clusters asked for by id that something is known of. */
const SUBJECTS = 4_096;

/** On what the answer to a caller depends, as far as the lists seen tell. */
export type Dependence =
  /** No list has been seen: nobody knows. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'own' }
  | { readonly kind: 'cluster' }
  | { readonly kind: 'place' }
  /** On idc, location, and which of these blocks the caller is in. */
  | { readonly kind: 'blocks'; readonly blocks: ReadonlyMap<string, Block> };

const OWN: Dependence = { kind: 'own' };

export interface KnowledgeOptions {
  readonly sharing: Config['cache']['sharing'];
  readonly decoder: ResponseDecoder;
  readonly emit: Emit;
}

/** What the lists of schedulers seen so far say about who would get the same answer. */
export interface Knowledge {
  /** Takes in what an answer to `question` shows. */
  learn(question: Question, answer: Answer): 'list' | 'empty' | 'other';
  /** Is it a list that shows no cluster at all? */
  isWithoutClusters(question: Question, answer: Answer): boolean;
  /** Takes in an entry, whoever brought it: the manager, a snapshot, another replica. */
  stored(entry: Entry): void;
  dependenceOf(asker: Asker): Dependence;
  /** Key of the newest answer given to a caller of the same cluster id, idc and location, if that is surely his, too. */
  siblingOf(asker: Asker): string | undefined;
  /**
   * Keys of lists that callers of other places were given and that show the clusters he would be shown, in an order that may
   * be another; the best first. None where something else than idc and location may decide.
   */
  elsewhere(asker: Asker): readonly string[];
  /** Rises when what was said before may no longer hold. */
  readonly revision: number;
}

export function createKnowledge({ sharing, decoder, emit }: KnowledgeOptions): Knowledge {
  const searcher = createObservations();
  const byCluster = newestOnly<Observations>(SUBJECTS);
  const siblings = createSiblings();
  const places = createPlaces();
  // An answer is taken in when it comes and, right after that, when it is stored.
  let last: { readonly message: Buffer; readonly list: ReturnType<typeof readList> } | undefined;
  let revision = 0;
  let known: Dependence = sharing === 'exact' ? OWN : { kind: 'unknown' };

  const listOf = ({ path }: Question, { reply }: Answer): ReturnType<typeof readList> => {
    if (reply.status.code !== Code.OK || reply.message === undefined) return 'unreadable';
    if (last?.message !== reply.message) {
      last = { message: reply.message, list: readList(path, reply.message, decoder) };
    }
    return last.list;
  };

  const observationsOf = (clusterId: string | undefined): Observations | undefined =>
    clusterId === undefined ? searcher : byCluster.get(clusterId);

  const changed = (): void => {
    revision++;
    const before = known.kind;
    known = sharing === 'exact' ? OWN : searcherDependence(searcher.lists, sharing);
    if (known.kind === before || known.kind === 'unknown' || known.kind === 'cluster') return;
    emit({ kind: 'sharing-changed', to: known.kind, detail: whyOwn(searcher.lists, sharing) });
  };

  const learn: Knowledge['learn'] = (question, answer) => {
    const about = subjectOf(question);
    const list = about === undefined ? 'unreadable' : listOf(question, answer);
    if (about === undefined || list === 'unreadable') return 'other';
    if (list === 'empty') return 'empty';
    let observations = observationsOf(about.clusterId);
    if (observations === undefined) {
      observations = createObservations();
      byCluster.set(about.clusterId ?? '', observations);
    }
    if (observations.add(list, answer.askedAtMs)) changed();
    return 'list';
  };

  return {
    learn,
    isWithoutClusters(question, answer) {
      const list = subjectOf(question) === undefined ? 'unreadable' : listOf(question, answer);
      return typeof list !== 'string' && !list.withCluster;
    },
    stored(entry) {
      if (learn(entry.question, entry) !== 'list') return;
      const { question, askedAtMs } = entry;
      const list = listOf(question, entry);
      if (typeof list === 'string') return;
      const [asker, place] = [askerOf(question), placeOf(question)];
      if (asker !== undefined) siblings.add(asker, question.key, list.order, askedAtMs);
      if (place !== undefined) places.add({ place, key: question.key, world: list.world, askedAtMs });
    },
    dependenceOf({ clusterId }) {
      if (clusterId === undefined || sharing === 'exact') return known;
      const lists = byCluster.get(clusterId)?.lists ?? [];
      if (lists.length === 0) return { kind: 'unknown' };
      return lists.every(({ onlyClusterId }) => onlyClusterId === clusterId) ? { kind: 'cluster' } : OWN;
    },
    siblingOf(asker) {
      const observations = observationsOf(asker.clusterId);
      if (observations === undefined || openWorld(observations) === undefined) return undefined;
      return siblings.newest(asker, (askedAtMs) => observations.isPast(askedAtMs));
    },
    elsewhere(asker) {
      // Of one cluster there is one list. `exact` is how an operator says that something decides which scopes do not tell of.
      const world = asker.clusterId === undefined && sharing !== 'exact' ? openWorld(searcher) : undefined;
      return world === undefined ? [] : places.nearest(asker, world, (atMs) => searcher.isPast(atMs));
    },
    get revision() {
      return revision;
    },
  };
}

/** The clusters that all lists agree on, where none declares more than idc and location. */
function openWorld({ lists }: Observations): string | undefined {
  const [list, ...others] = lists;
  return list?.claim.kind === 'open' && others.length === 0 ? list.world : undefined;
}

/** Which lists an answer to `question` is one of. */
function subjectOf(question: Question): { readonly clusterId: string | undefined } | undefined {
  const shared = sharedParts(question);
  if (shared !== undefined) return { clusterId: shared[0] === 'cluster' ? shared[1] : undefined };
  return askerOf(question);
}

function searcherDependence(lists: readonly SeenList[], sharing: 'scope' | 'cidr'): Dependence {
  if (lists.length === 0) return { kind: 'unknown' };
  const blocks = new Map<string, Block>();
  for (const { claim } of lists) {
    if (claim.kind === 'own' || (claim.kind === 'blocks' && sharing !== 'cidr')) return OWN;
    if (claim.kind === 'blocks') for (const [text, block] of claim.blocks) blocks.set(text, block);
  }
  return blocks.size === 0 ? { kind: 'place' } : { kind: 'blocks', blocks };
}

/** In words, for the log. */
function whyOwn(lists: readonly SeenList[], sharing: Config['cache']['sharing']): string {
  for (const { claim } of lists) {
    if (claim.kind === 'own') return WHY[claim.why];
    if (claim.kind === 'blocks' && sharing !== 'cidr')
      return 'a cluster declares cidrs, and cache.sharing is not cidr';
  }
  return '';
}

const WHY = {
  hostnames: 'a cluster declares hostnames',
  'not-shown': 'the manager does not show the clusters of its schedulers',
  unreadable: 'the scopes of a cluster cannot be read',
} as const;
