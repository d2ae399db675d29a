//! What can be asked of a property and of an expression alike.

/// Gives the methods to a type `$name<O, T>` that has `into_expr`.
macro_rules! operators {
    ($name:ident) => {
        impl<O, T> $name<O, T> {
            /// The property is not there.
            pub fn is_null(self) -> Filter<O> {
                Filter::new(Condition::IsNull(self.into_expr()))
            }

            /// The property is there.
            pub fn is_not_null(self) -> Filter<O> {
                !self.is_null()
            }

            /// Smallest first; nodes without the property last.
            pub fn asc(self) -> Order<O> {
                Order::new(self.into_expr(), false)
            }

            /// Largest first; nodes without the property first.
            pub fn desc(self) -> Order<O> {
                Order::new(self.into_expr(), true)
            }

            fn compare(self, comparison: Comparison, right: Expr) -> Filter<O> {
                Filter::new(Condition::Compare {
                    left: self.into_expr(),
                    comparison,
                    right,
                })
            }
        }

        /// Comparisons with a value, or with another property of the same struct. Where one of the
        /// two is not there, the answer is no, and so is the answer to its negation.
        impl<O, T: Property> $name<O, T> {
            /// The property equals `other`.
            pub fn eq(self, other: impl Comparand<O, T::Plain>) -> Filter<O> {
                self.compare(Comparison::Equal, other.into_comparand().expr)
            }

            /// The property is there and differs from `other`.
            pub fn ne(self, other: impl Comparand<O, T::Plain>) -> Filter<O> {
                self.compare(Comparison::NotEqual, other.into_comparand().expr)
            }

            /// The property equals one of `values`.
            pub fn in_list<V: Operand<T::Plain>>(
                self,
                values: impl IntoIterator<Item = V>,
            ) -> Filter<O> {
                let values: Vec<T::Plain> = values.into_iter().map(Operand::into_operand).collect();
                self.compare(Comparison::In, Expr::value(values))
            }

            /// The property is less than `other`.
            pub fn lt(self, other: impl Comparand<O, T::Plain>) -> Filter<O>
            where
                T::Kind: kind::IsOrdered,
            {
                self.compare(Comparison::Less, other.into_comparand().expr)
            }

            /// The property is at most `other`.
            pub fn le(self, other: impl Comparand<O, T::Plain>) -> Filter<O>
            where
                T::Kind: kind::IsOrdered,
            {
                self.compare(Comparison::LessOrEqual, other.into_comparand().expr)
            }

            /// The property is greater than `other`.
            pub fn gt(self, other: impl Comparand<O, T::Plain>) -> Filter<O>
            where
                T::Kind: kind::IsOrdered,
            {
                self.compare(Comparison::Greater, other.into_comparand().expr)
            }

            /// The property is at least `other`.
            pub fn ge(self, other: impl Comparand<O, T::Plain>) -> Filter<O>
            where
                T::Kind: kind::IsOrdered,
            {
                self.compare(Comparison::GreaterOrEqual, other.into_comparand().expr)
            }

            /// The property is at least `low` and at most `high`.
            pub fn between(
                self,
                low: impl Comparand<O, T::Plain>,
                high: impl Comparand<O, T::Plain>,
            ) -> Filter<O>
            where
                T::Kind: kind::IsOrdered,
            {
                let left = self.into_expr();
                let low = Expression::<O, T>::new(left.clone()).ge(low);
                low.and(Expression::<O, T>::new(left).le(high))
            }

            /// The property, or `value` where it is not there.
            pub fn or(self, value: impl Comparand<O, T::Plain>) -> Expression<O, T::Plain> {
                let other = value.into_comparand().expr;
                Expression::new(Expr::Call("coalesce", vec![self.into_expr(), other]))
            }
        }

        /// Aggregates, for `.aggregate(…)`. What is not there plays no part in them.
        impl<O, T: Property> $name<O, T> {
            /// How many nodes have it.
            pub fn count(self) -> Aggregate<O, u64> {
                Aggregate::new("count", false, self.into_expr())
            }

            /// How many different values there are.
            pub fn count_distinct(self) -> Aggregate<O, u64> {
                Aggregate::new("count", true, self.into_expr())
            }

            /// All values, as a list in no particular order.
            pub fn collect(self) -> Aggregate<O, Vec<T::Plain>> {
                Aggregate::new("collect", false, self.into_expr())
            }

            /// The different values, as a list in no particular order.
            pub fn collect_distinct(self) -> Aggregate<O, Vec<T::Plain>> {
                Aggregate::new("collect", true, self.into_expr())
            }

            /// The smallest value, if there is any.
            pub fn min(self) -> Aggregate<O, Option<T::Plain>>
            where
                T::Kind: kind::IsOrdered,
            {
                Aggregate::new("min", false, self.into_expr())
            }

            /// The largest value, if there is any.
            pub fn max(self) -> Aggregate<O, Option<T::Plain>>
            where
                T::Kind: kind::IsOrdered,
            {
                Aggregate::new("max", false, self.into_expr())
            }

            /// The sum of the values; 0 where there are none.
            pub fn sum<S>(self) -> Aggregate<O, S>
            where
                T::Kind: kind::IsNumber<Sum = S>,
            {
                let sum = Aggregate::new("sum", false, self.into_expr());
                sum.within(<T::Kind as kind::IsNumber>::SUM)
            }

            /// The mean of the values, if there are any.
            pub fn avg(self) -> Aggregate<O, Option<f64>>
            where
                T::Kind: kind::IsNumber,
            {
                Aggregate::new("avg", false, self.into_expr())
            }

            /// The standard deviation of the values, taken as a sample; 0 where there are less than
            /// two.
            pub fn std_dev(self) -> Aggregate<O, f64>
            where
                T::Kind: kind::IsNumber,
            {
                Aggregate::new("stDev", false, self.into_expr()).or(0.0)
            }

            /// The value below which the share `fraction`, from 0 to 1, of the values lies, between two
            /// values where need be: 0.5 for the median.
            pub fn percentile(self, fraction: f64) -> Aggregate<O, Option<f64>>
            where
                T::Kind: kind::IsNumber,
            {
                let of = self.into_expr();
                Aggregate::with("percentileCont", false, of, Some(Expr::value(fraction)))
            }
        }

        /// Text.
        impl<O, T: Property> $name<O, T> {
            fn text(self, comparison: Comparison, text: impl Into<String>) -> Filter<O>
            where
                T::Kind: kind::IsText,
            {
                self.compare(comparison, Expr::value::<String>(text.into()))
            }

            fn call(self, function: &'static str) -> Expression<O, T>
            where
                T::Kind: kind::IsText,
            {
                Expression::new(Expr::Call(function, vec![self.into_expr()]))
            }

            /// The text begins with `prefix`; served by a range or text index.
            pub fn starts_with(self, prefix: impl Into<String>) -> Filter<O>
            where
                T::Kind: kind::IsText,
            {
                self.text(Comparison::StartsWith, prefix)
            }

            /// The text ends with `suffix`.
            pub fn ends_with(self, suffix: impl Into<String>) -> Filter<O>
            where
                T::Kind: kind::IsText,
            {
                self.text(Comparison::EndsWith, suffix)
            }

            /// The text has `part` in it.
            #[doc(alias = "like")]
            pub fn contains(self, part: impl Into<String>) -> Filter<O>
            where
                T::Kind: kind::IsText,
            {
                self.text(Comparison::Contains, part)
            }

            /// The whole text matches a regular expression of Java's kind; no index serves it.
            pub fn matches(self, pattern: impl Into<String>) -> Filter<O>
            where
                T::Kind: kind::IsText,
            {
                self.text(Comparison::Matches, pattern)
            }

            /// The text equals `text` when both are put in lower case; no index serves it.
            pub fn eq_ignore_case(self, text: impl Into<String>) -> Filter<O>
            where
                T::Kind: kind::IsText,
            {
                self.text(Comparison::EqualIgnoreCase, text)
            }

            /// The text has `part` in it when both are put in lower case; no index serves it.
            pub fn contains_ignore_case(self, part: impl Into<String>) -> Filter<O>
            where
                T::Kind: kind::IsText,
            {
                self.text(Comparison::ContainsIgnoreCase, part)
            }

            /// The text begins with `prefix` when both are put in lower case; no index serves it.
            pub fn starts_with_ignore_case(self, prefix: impl Into<String>) -> Filter<O>
            where
                T::Kind: kind::IsText,
            {
                self.text(Comparison::StartsWithIgnoreCase, prefix)
            }

            /// The text ends with `suffix` when both are put in lower case; no index serves it.
            pub fn ends_with_ignore_case(self, suffix: impl Into<String>) -> Filter<O>
            where
                T::Kind: kind::IsText,
            {
                self.text(Comparison::EndsWithIgnoreCase, suffix)
            }

            /// The text in lower case: `Book::TITLE.lower().asc()` orders without regard to case.
            pub fn lower(self) -> Expression<O, T>
            where
                T::Kind: kind::IsText,
            {
                self.call("toLower")
            }

            /// The text in upper case.
            pub fn upper(self) -> Expression<O, T>
            where
                T::Kind: kind::IsText,
            {
                self.call("toUpper")
            }

            /// The text without white space at its ends.
            pub fn trim(self) -> Expression<O, T>
            where
                T::Kind: kind::IsText,
            {
                self.call("trim")
            }

            /// The text with another behind it; not there where one of the two is not.
            pub fn concat(
                self,
                other: impl Comparand<O, T::Plain>,
            ) -> Expression<O, Option<T::Plain>>
            where
                T::Kind: kind::IsText,
            {
                let right = other.into_comparand().expr;
                Expression::new(self.into_expr().binary("+", right))
            }
        }

        /// Text and lists.
        impl<O, T: Property> $name<O, T> {
            /// How many characters a text has, or how many members a list has.
            #[allow(clippy::len_without_is_empty)] // `is_empty` would be a filter; `.len().eq(0)` is
            pub fn len(self) -> Expression<O, T::As<i64>>
            where
                T::Kind: kind::HasLength,
            {
                Expression::new(Expr::Call("size", vec![self.into_expr()]))
            }
        }

        /// Lists.
        impl<O, T: Property> $name<O, T> {
            /// The list has `member` in it.
            pub fn has(
                self,
                member: impl Operand<<T::Plain as ListProperty>::Member>,
            ) -> Filter<O>
            where
                T::Plain: ListProperty,
            {
                self.compare(Comparison::Has, Expr::value(member.into_operand()))
            }

            /// The list has at least one of `members` in it.
            pub fn has_any<V: Operand<<T::Plain as ListProperty>::Member>>(
                self,
                members: impl IntoIterator<Item = V>,
            ) -> Filter<O>
            where
                T::Plain: ListProperty,
            {
                let members: Vec<_> = members.into_iter().map(Operand::into_operand).collect();
                self.compare(Comparison::HasAny, Expr::value(members))
            }

            /// The list has every one of `members` in it.
            pub fn has_all<V: Operand<<T::Plain as ListProperty>::Member>>(
                self,
                members: impl IntoIterator<Item = V>,
            ) -> Filter<O>
            where
                T::Plain: ListProperty,
            {
                let members: Vec<_> = members.into_iter().map(Operand::into_operand).collect();
                self.compare(Comparison::HasAll, Expr::value(members))
            }
        }

        /// Dates, and times with a date.
        impl<O, T: Property> $name<O, T> {
            fn part(self, part: &'static str) -> Expression<O, T::As<i64>>
            where
                T::Kind: kind::IsDated,
            {
                Expression::new(Expr::Part(Box::new(self.into_expr()), part))
            }

            /// The year.
            pub fn year(self) -> Expression<O, T::As<i64>>
            where
                T::Kind: kind::IsDated,
            {
                self.part("year")
            }

            /// The month, from 1.
            pub fn month(self) -> Expression<O, T::As<i64>>
            where
                T::Kind: kind::IsDated,
            {
                self.part("month")
            }

            /// The day of the month, from 1.
            pub fn day(self) -> Expression<O, T::As<i64>>
            where
                T::Kind: kind::IsDated,
            {
                self.part("day")
            }
        }

        operators!(arithmetic $name: Add add "+", Sub sub "-", Mul mul "*", Div div "/", Rem rem "%");
    };
    (arithmetic $name:ident: $($operator:ident $method:ident $text:literal),*) => {$(
        /// Arithmetic of the database: whole numbers divide without a rest.
        impl<O, T: Property, V: Comparand<O, T::Plain>> std::ops::$operator<V> for $name<O, T>
        where
            T::Kind: kind::IsNumber,
        {
            type Output = Expression<O, Option<T::Plain>>;

            fn $method(self, other: V) -> Self::Output {
                let right = other.into_comparand().expr;
                Expression::new(self.into_expr().binary($text, right))
            }
        }
    )*};
}

pub(crate) use operators;
