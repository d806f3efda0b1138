;; Products of float32 matrices, in the memory of the backend. Counts are at least 1; all other
;; lengths are in bytes.
;;
;; XNNPACK packs its right factor anew whenever it changes, number by number, which takes as long as
;; the product itself for a layer of few rows; and tfjs gives it no transposed factors. Here a panel
;; of eight columns is packed at a time, just before it is read. The sums are the same, bit for bit:
;; they add up in the order of the inner axis.
(module
  (import "host" "memory" (memory 1))

  ;; Copies `count` words of each row: to[i, j] = from[i, j].
  (func (export "copy")
    (param $from i32) (param $fromRow i32) (param $to i32) (param $toRow i32)
    (param $rows i32) (param $count i32)
    (local $offset i32)
    (local.set $count (i32.shl (local.get $count) (i32.const 2)))
    (loop $nextRow
      (local.set $offset (i32.const 0))
      (loop $nextWord
        (i32.store
          (i32.add (local.get $to) (local.get $offset))
          (i32.load (i32.add (local.get $from) (local.get $offset))))
        (br_if $nextWord
          (i32.lt_u
            (local.tee $offset (i32.add (local.get $offset) (i32.const 4)))
            (local.get $count))))
      (local.set $from (i32.add (local.get $from) (local.get $fromRow)))
      (local.set $to (i32.add (local.get $to) (local.get $toRow)))
      (br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; Packs up to eight columns of a matrix: packed[i, j] = from[i, j], with rows of eight numbers.
  ;; Those of missing columns stay what they were.
  (func (export "pack")
    (param $from i32) (param $row i32) (param $column i32)
    (param $packed i32) (param $rows i32) (param $columns i32)
    (local $end i32) (local $read i32) (local $written i32)
    (local.set $end (i32.add (local.get $packed) (i32.shl (local.get $rows) (i32.const 5))))
    (if (i32.and
          (i32.eq (local.get $column) (i32.const 4))
          (i32.eq (local.get $columns) (i32.const 8)))
      (then
        (loop $nextRow
          (v128.store (local.get $packed) (v128.load (local.get $from)))
          (v128.store offset=16 (local.get $packed) (v128.load offset=16 (local.get $from)))
          (local.set $from (i32.add (local.get $from) (local.get $row)))
          (br_if $nextRow
            (i32.lt_u
              (local.tee $packed (i32.add (local.get $packed) (i32.const 32)))
              (local.get $end))))
        (return)))
    (loop $nextColumn
      (local.set $read (local.get $from))
      (local.set $written (local.get $packed))
      (loop $nextRow
        (i32.store (local.get $written) (i32.load (local.get $read)))
        (local.set $read (i32.add (local.get $read) (local.get $row)))
        (br_if $nextRow
          (i32.lt_u
            (local.tee $written (i32.add (local.get $written) (i32.const 32)))
            (local.get $end))))
      (local.set $from (i32.add (local.get $from) (local.get $column)))
      (local.set $packed (i32.add (local.get $packed) (i32.const 4)))
      (local.set $end (i32.add (local.get $end) (i32.const 4)))
      (br_if $nextColumn (local.tee $columns (i32.sub (local.get $columns) (i32.const 1))))))

  ;; Adds a product with a packed panel: c[rows, 8] += a[rows, inner] . b[inner, 8].
  ;;
  ;; Four rows at a time: their eight vectors of sums, one of a and two of b fit into the registers
  ;; of all processors. Rows past the end are the last row once more: they compute the same numbers
  ;; and store them in the same place.
  (func (export "addPanel")
    (param $a i32) (param $aRow i32) (param $aColumn i32)
    (param $b i32) (param $c i32) (param $cRow i32)
    (param $rows i32) (param $inner i32)
    (local $a0 i32) (local $a1 i32) (local $a2 i32) (local $a3 i32)
    (local $c1 i32) (local $c2 i32) (local $c3 i32)
    (local $next i32) (local $end i32)
    (local $left v128) (local $b0 v128) (local $b1 v128)
    (local $s00 v128) (local $s01 v128) (local $s10 v128) (local $s11 v128)
    (local $s20 v128) (local $s21 v128) (local $s30 v128) (local $s31 v128)
    (local.set $end (i32.add (local.get $b) (i32.shl (local.get $inner) (i32.const 5))))
    (loop $nextRows
      (local.set $a0 (local.get $a))
      (local.set $a1 (local.get $a))
      (local.set $c1 (local.get $c))
      (if (i32.gt_s (local.get $rows) (i32.const 1))
        (then
          (local.set $a1 (i32.add (local.get $a0) (local.get $aRow)))
          (local.set $c1 (i32.add (local.get $c) (local.get $cRow)))))
      (local.set $a2 (local.get $a1))
      (local.set $c2 (local.get $c1))
      (if (i32.gt_s (local.get $rows) (i32.const 2))
        (then
          (local.set $a2 (i32.add (local.get $a1) (local.get $aRow)))
          (local.set $c2 (i32.add (local.get $c1) (local.get $cRow)))))
      (local.set $a3 (local.get $a2))
      (local.set $c3 (local.get $c2))
      (if (i32.gt_s (local.get $rows) (i32.const 3))
        (then
          (local.set $a3 (i32.add (local.get $a2) (local.get $aRow)))
          (local.set $c3 (i32.add (local.get $c2) (local.get $cRow)))))

      (local.set $s00 (v128.load (local.get $c)))
      (local.set $s01 (v128.load offset=16 (local.get $c)))
      (local.set $s10 (v128.load (local.get $c1)))
      (local.set $s11 (v128.load offset=16 (local.get $c1)))
      (local.set $s20 (v128.load (local.get $c2)))
      (local.set $s21 (v128.load offset=16 (local.get $c2)))
      (local.set $s30 (v128.load (local.get $c3)))
      (local.set $s31 (v128.load offset=16 (local.get $c3)))

      (local.set $next (local.get $b))
      (loop $nextTerm
        (local.set $b0 (v128.load (local.get $next)))
        (local.set $b1 (v128.load offset=16 (local.get $next)))
        (local.set $left (v128.load32_splat (local.get $a0)))
        (local.set $s00 (f32x4.add (local.get $s00) (f32x4.mul (local.get $left) (local.get $b0))))
        (local.set $s01 (f32x4.add (local.get $s01) (f32x4.mul (local.get $left) (local.get $b1))))
        (local.set $left (v128.load32_splat (local.get $a1)))
        (local.set $s10 (f32x4.add (local.get $s10) (f32x4.mul (local.get $left) (local.get $b0))))
        (local.set $s11 (f32x4.add (local.get $s11) (f32x4.mul (local.get $left) (local.get $b1))))
        (local.set $left (v128.load32_splat (local.get $a2)))
        (local.set $s20 (f32x4.add (local.get $s20) (f32x4.mul (local.get $left) (local.get $b0))))
        (local.set $s21 (f32x4.add (local.get $s21) (f32x4.mul (local.get $left) (local.get $b1))))
        (local.set $left (v128.load32_splat (local.get $a3)))
        (local.set $s30 (f32x4.add (local.get $s30) (f32x4.mul (local.get $left) (local.get $b0))))
        (local.set $s31 (f32x4.add (local.get $s31) (f32x4.mul (local.get $left) (local.get $b1))))
        (local.set $a0 (i32.add (local.get $a0) (local.get $aColumn)))
        (local.set $a1 (i32.add (local.get $a1) (local.get $aColumn)))
        (local.set $a2 (i32.add (local.get $a2) (local.get $aColumn)))
        (local.set $a3 (i32.add (local.get $a3) (local.get $aColumn)))
        (br_if $nextTerm
          (i32.lt_u
            (local.tee $next (i32.add (local.get $next) (i32.const 32)))
            (local.get $end))))

      (v128.store (local.get $c) (local.get $s00))
      (v128.store offset=16 (local.get $c) (local.get $s01))
      (v128.store (local.get $c1) (local.get $s10))
      (v128.store offset=16 (local.get $c1) (local.get $s11))
      (v128.store (local.get $c2) (local.get $s20))
      (v128.store offset=16 (local.get $c2) (local.get $s21))
      (v128.store (local.get $c3) (local.get $s30))
      (v128.store offset=16 (local.get $c3) (local.get $s31))

      (local.set $a (i32.add (local.get $a) (i32.shl (local.get $aRow) (i32.const 2))))
      (local.set $c (i32.add (local.get $c) (i32.shl (local.get $cRow) (i32.const 2))))
      (br_if $nextRows
        (i32.gt_s
          (local.tee $rows (i32.sub (local.get $rows) (i32.const 4)))
          (i32.const 0))))))
