//! What the traits for arguments have in common: names, and lists of arguments, are arguments too.

/// Implements `$trait` for names, and for arrays, vectors, slices and tuples of what it takes.
macro_rules! names_and_lists {
    ($trait:ident, $push:ident, $item:ident) => {
        names_and_lists! { @names $trait, $push, $item:
            &str => |name| name.to_owned();
            &&str => |name| (*name).to_owned();
            String => |name| name;
            &String => |name| name.clone();
        }
        #[diagnostic::do_not_recommend]
        impl<M, X: $trait<M>, const N: usize> $trait<M> for [X; N] {
            fn $push(self, out: &mut Vec<$item>) {
                self.into_iter().for_each(|x| x.$push(out));
            }
        }
        #[diagnostic::do_not_recommend]
        impl<M, X: $trait<M>> $trait<M> for Vec<X> {
            fn $push(self, out: &mut Vec<$item>) {
                self.into_iter().for_each(|x| x.$push(out));
            }
        }
        #[diagnostic::do_not_recommend]
        impl<'x, M, X> $trait<M> for &'x [X]
        where
            &'x X: $trait<M>,
        {
            fn $push(self, out: &mut Vec<$item>) {
                self.iter().for_each(|x| x.$push(out));
            }
        }
        names_and_lists! { @tuples $trait, $push, $item:
            A;
            A B;
            A B C;
            A B C D;
            A B C D E;
            A B C D E F;
            A B C D E F G;
            A B C D E F G H;
        }
    };
    (@names $trait:ident, $push:ident, $item:ident:
        $($from:ty => |$name:ident| $owned:expr;)*
    ) => { $(
        #[diagnostic::do_not_recommend]
        impl<M> $trait<M> for $from {
            fn $push(self, out: &mut Vec<$item>) {
                let $name = self;
                out.push($item::Name($owned));
            }
        }
    )* };
    (@tuples $trait:ident, $push:ident, $item:ident: $($($name:ident)+;)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<M, $($name: $trait<M>),+> $trait<M> for ($($name,)+) {
            #[allow(non_snake_case, reason = "one variable per type parameter")]
            fn $push(self, out: &mut Vec<$item>) {
                let ($($name,)+) = self;
                $($name.$push(out);)+
            }
        }
    )* };
}

pub(super) use names_and_lists;
