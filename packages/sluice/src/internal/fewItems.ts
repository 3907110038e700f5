/**
 * Arrays that most often stay empty, or get one item: the empty one is shared, and the first item makes an array of one.
 */

/** @internal Frozen, so that what all share stays empty. */
export const none: Array<never> = []
Object.freeze(none)

/** @internal The array with one more item, which is a new one if it was `none`. */
export const add = <A>(all: Array<A>, next: A): Array<A> => {
  if (all === none) return [next]
  all.push(next)
  return all
}
