/**
 * Whether two runs of bytes are the same, in a time that depends on their length alone.
 *
 * A comparison that stops at the first difference tells, by how long it takes, how much of a guess was right.
 *
 * @internal
 */
export const equals = (self: ArrayLike<number>, that: ArrayLike<number>): boolean => {
  if (self.length !== that.length) return false
  let difference = 0
  for (let at = 0; at < self.length; at++) difference |= self[at] ^ that[at]
  return difference === 0
}
